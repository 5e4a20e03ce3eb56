import { type ConfiguredBackend, folder, maintenanceMap } from './configuration.ts'
import { word } from './words.ts'

/** The page of the backends that are in maintenance. */
export const pageFile = `${folder}/maintenance.html`

/** A backend as a section of haproxy.cfg, without its servers. Pure. `retryAfter`: milliseconds. */
export function backendLines(of: ConfiguredBackend, { retryAfter }: { retryAfter: number }): string[] {
  const { backend, mode, algorithm, health, timeouts } = of
  const lines = [
    `mode ${mode}`,
    `balance ${algorithm}`,
    ...(algorithm === 'source' ? ['hash-type consistent'] : []),
    `timeout connect ${timeouts.connect}ms`,
    `timeout server ${timeouts.server}ms`,
    `timeout queue ${timeouts.queue}ms`,
    ...(mode === 'http' ? httpLines(of, retryAfter) : []),
    ...(health.http === null
      ? []
      : [
          'option httpchk',
          `http-check send meth GET uri ${word(health.http, `the health check of ${backend}`)} ver HTTP/1.1 hdr Host kitbag`,
          'http-check expect status 200-399',
        ]),
    // So that one which is silent is out after the timeout, whatever the number of checks that it takes.
    `timeout check ${Math.ceil(health.timeout / health.fall)}ms`,
  ]
  return [`backend ${backend}`, ...lines.map((line) => `    ${line}`)]
}

function httpLines({ backend, cookie, timeouts }: ConfiguredBackend, retryAfter: number): string[] {
  const closed = `{ str(${backend}),map(${maintenanceMap}) -m found }`
  const wait = Math.ceil(retryAfter / 1000)
  return [
    `timeout tunnel ${timeouts.tunnel}ms`,
    `http-request return status 503 content-type "text/html; charset=utf-8" file ${pageFile} hdr Retry-After ${wait} hdr Cache-Control no-store if ${closed}`,
    ...(cookie === null ? [] : [`cookie ${cookie} insert indirect nocache httponly attr SameSite=Lax`]),
    'http-reuse safe',
    'retry-on conn-failure empty-response response-timeout 503',
    // Only what may be repeated is: a POST that may have reached the application is not sent again.
    'http-request disable-l7-retry unless METH_GET',
  ]
}

/** What a server has beside its address, in a file and when it is added at run time. */
export function serverOptions({ health, proxyProtocol }: ConfiguredBackend): string {
  const { interval, downInterval, rise, fall } = health
  const proxy = { v1: ' send-proxy check-send-proxy', v2: ' send-proxy-v2 check-send-proxy', none: '' }
  const check = `check inter ${interval}ms fastinter ${downInterval}ms downinter ${downInterval}ms rise ${rise} fall ${fall}`
  return check + proxy[proxyProtocol ?? 'none']
}
