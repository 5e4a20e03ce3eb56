import { isIPv4, isIPv6 } from 'node:net'
import { u16 } from './rdata-fields.ts'

const list = (fits: (text: string) => boolean) => (value: string) => value !== '' && value.split(',').every(fits)
const word = /^[\x21-\x7e]+$/

/** Keys of RFC 9460, 14.3.2, and what their values are; `undefined`: they have none. */
const keys: Record<string, ((value: string) => boolean) | undefined> = {
  mandatory: list((key) => key !== 'mandatory' && isKey(key)),
  alpn: list((protocol) => /^[A-Za-z0-9./_-]{1,255}$/.test(protocol)),
  'no-default-alpn': undefined,
  port: (value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535,
  ipv4hint: list(isIPv4),
  ech: (value) => /^[A-Za-z0-9+/]+={0,2}$/.test(value),
  ipv6hint: list((text) => isIPv6(text) && !text.includes('%')),
}

/** RFC 9460, 14.3.2; the names above stand in that order. */
const keyNumber = (key: string) => (Object.hasOwn(keys, key) ? Object.keys(keys).indexOf(key) : Number(key.slice(3)))

/** Known by name, or `key7` to `key65534`; the first seven have names. */
function isKey(key: string): boolean {
  if (Object.hasOwn(keys, key)) return true
  const number = /^key([1-9]\d{0,4})$/.exec(key)?.[1]
  return number !== undefined && Number(number) >= 7 && Number(number) < 65_535
}

/**
 * The content of an SVCB or HTTPS record (RFC 9460), its keys in order, their values without quotes: PowerDNS 4.7 takes no others.
 * `target` reads the name. Throws RangeError saying what is wrong.
 */
export function serviceBinding(fields: string[], target: (text: string) => string): string {
  const [priority, name, ...parameters] = fields
  if (priority === undefined || name === undefined) throw new RangeError('must be such as 1 . alpn=h2')
  const given = new Map<string, string>()
  for (const parameter of parameters) {
    const [key, text] = readParameter(parameter)
    if (given.has(key)) throw new RangeError(`${key} is there twice`)
    given.set(key, text)
  }
  for (const key of given.get('mandatory')?.split(',') ?? [])
    if (!given.has(key)) throw new RangeError(`mandatory names ${key}, which is not there`)
  if (given.has('no-default-alpn') && !given.has('alpn')) throw new RangeError('no-default-alpn needs alpn')
  const order = u16('the priority')(priority, '', false)
  if (order === '0' && given.size > 0) throw new RangeError('an alias (priority 0) has no parameters')
  const rest = [...given]
    .sort(([a], [b]) => keyNumber(a) - keyNumber(b))
    .map(([key, value]) => (value === '' ? key : `${key}=${key.startsWith('key') ? `"${value}"` : value}`))
  return [order, target(name), ...rest].join(' ')
}

function readParameter(parameter: string): [string, string] {
  const at = parameter.indexOf('=')
  const key = at < 0 ? parameter : parameter.slice(0, at)
  if (!isKey(key)) throw new RangeError(`there is no parameter ${key.slice(0, 40)}`)
  const text = at < 0 ? '' : parameter.slice(at + 1).replace(/^"(.*)"$/s, '$1')
  const isBare = key === 'no-default-alpn' || (key.startsWith('key') && at < 0)
  const fits = keys[key] ?? ((value: string) => word.test(value) && !/["\\;()]/.test(value))
  if (isBare ? at >= 0 || text !== '' : !fits(text))
    throw new RangeError(`${key} holds what it may not: ${text.slice(0, 40)}`)
  return [key, text]
}
