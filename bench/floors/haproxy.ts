/** HAProxy by hand: the same servers, checks, log and certificate, and nothing that is not asked for. */
export function haproxyByHand(servers: string[], certificate: string): string {
  return `set -e
umask 077
cat >/etc/haproxy/bench.pem <<'END'
${certificate}
END
cat >/etc/haproxy/haproxy.cfg <<'END'
global
    log stdout format short local0
    user haproxy
    group haproxy
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets

defaults
    log global
    mode http
    option httplog
    option dontlognull
    timeout connect 2s
    timeout client 60s
    timeout server 60s

frontend web
    bind :::80 v4v6
    bind :::443 v4v6 ssl crt /etc/haproxy/bench.pem alpn h2,http/1.1
    option forwardfor
    default_backend web

backend web
    balance roundrobin
    option httpchk GET /
${servers.map((address, i) => `    server web-${i + 1} ${address}:80 check inter 500ms`).join('\n')}
END
systemctl restart haproxy
`
}
