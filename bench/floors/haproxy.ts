/** HAProxy by hand: the same servers, checks, log and certificate; what fails is sent to another server, as anybody wants it who has two. */
export function haproxyByHand(servers: string[], certificate: string): string {
  return `set -e
# By hand there is no firewall.
nft delete table inet kitbag
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
    option redispatch 1
    retries 3
    retry-on all-retryable-errors
    timeout connect 2s
    timeout client 60s
    timeout server 60s

frontend web
    bind :::80 v4v6
    bind :::443 v4v6 ssl crt /etc/haproxy/bench.pem alpn h2,http/1.1
    option forwardfor
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    default_backend web

backend web
    balance roundrobin
    option httpchk GET /
    http-request disable-l7-retry unless METH_GET
${servers.map((address, i) => `    server web-${i + 1} ${address}:80 check inter 500ms`).join('\n')}
END
systemctl restart haproxy
`
}
