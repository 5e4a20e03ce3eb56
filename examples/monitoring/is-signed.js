import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether a notification is Kitbag's. `header`: `X-Kitbag-Signature`; `body`: its bytes as they came, before anything parsed them. */
export function isSigned(header, body, secret, now = Date.now() / 1000) {
  const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? []
  if (given === undefined || Math.abs(now - Number(time)) > 300) return false
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest()
  return timingSafeEqual(Buffer.from(given, 'hex'), expected)
}
