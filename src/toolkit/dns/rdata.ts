import { isIPv4, isIPv6 } from 'node:net'
import { type DomainName, readName } from './name.ts'
import { chunks, type Field, quoteString, readFields } from './text-fields.ts'

/** What a field of a record's content is. Each gives its canonical text, or throws RangeError saying what it must be. */
type Reader = (text: string, zone: DomainName, raw: boolean) => string

const integer =
  (most: number, what: string): Reader =>
  (text) => {
    if (/^\d{1,10}$/.test(text) && Number(text) <= most) return String(Number(text))
    throw new RangeError(`${what} must be a number from 0 to ${most}, found ${text.slice(0, 40)}`)
  }
const u8 = (what: string) => integer(255, what)
const u16 = (what: string) => integer(65_535, what)

/** A host or other name. In a zone file (`raw`) only the dot at the end makes it whole. */
const name: Reader = (text, zone, raw) => {
  if (text === '.') return '.'
  const whole = raw && text !== '@' && !text.endsWith('.') ? `${text}.${zone}.` : text
  const found = readName(whole, zone)
  if (found !== undefined) return `${found}.`
  throw new RangeError(`must be a host name, found ${text.slice(0, 80)}`)
}

const hex =
  (what: string): Reader =>
  (text) => {
    if (/^(?:[0-9a-f]{2})+$/i.test(text)) return text.toLowerCase()
    throw new RangeError(`${what} must be hexadecimal, found ${text.slice(0, 40)}`)
  }

const oneOf =
  (what: string, words: RegExp): Reader =>
  (text) => {
    if (words.test(text)) return text
    throw new RangeError(`${what} is not allowed: ${text.slice(0, 40)}`)
  }

const string: Reader = (text) => {
  if (text.length > 255) throw new RangeError(`a text of ${text.length} bytes: 255 are allowed`)
  return quoteString(text)
}

/** Fields of types whose content has a fixed number of them. `rest: true`: the last reader takes all that is left, joined. */
interface Shape {
  fields: Reader[]
  rest?: true
  example: string
}

const shapes: Record<string, Shape> = {
  A: { fields: [address('IPv4', isIPv4)], example: '192.0.2.1' },
  AAAA: { fields: [address('IPv6', isIPv6)], example: '2001:db8::1' },
  CNAME: { fields: [name], example: 'www.example.com.' },
  ALIAS: { fields: [name], example: 'www.example.com.' },
  NS: { fields: [name], example: 'ns1.example.com.' },
  PTR: { fields: [name], example: 'www.example.com.' },
  MX: { fields: [u16('the preference'), name], example: '10 mail.example.com.' },
  SRV: { fields: [u16('the priority'), u16('the weight'), u16('the port'), name], example: '0 5 443 www.example.com.' },
  CAA: {
    fields: [u8('the flag'), oneOf('the tag', /^[a-z0-9]{1,15}$/i), string],
    example: '0 issue "ca.example.net"',
  },
  SSHFP: {
    fields: [u8('the algorithm'), u8('the hash type'), hex('the fingerprint')],
    rest: true,
    example: '4 2 ab12',
  },
  TLSA: {
    fields: [u8('the usage'), u8('the selector'), u8('the matching type'), hex('the data')],
    rest: true,
    example: '3 1 1 ab12',
  },
}

function address(family: string, fits: (text: string) => boolean): Reader {
  return (text) => {
    if (fits(text) && !text.includes('%')) return text.toLowerCase()
    throw new RangeError(`must be an ${family} address, found ${text.slice(0, 80)}`)
  }
}

/** Record types that a set may have. */
export const recordTypes = [...Object.keys(shapes), 'TXT', 'LOC', 'SVCB', 'HTTPS'].sort()

/** TXT: the value is the text itself, unless it is written in quotes as zone files do. 65,535 bytes of content at most (RFC 1035). */
function text(content: string, raw: boolean): string {
  const isQuoted = raw || /^\s*".*"\s*$/s.test(content)
  const strings = isQuoted
    ? readFields(content).map(({ text: one }) => one)
    : chunks(Buffer.from(content, 'utf8').toString('latin1'))
  if (strings.length === 0) throw new RangeError('is empty')
  const long = strings.find((one) => one.length > 255)
  if (long !== undefined) throw new RangeError(`a text of ${long.length} bytes in quotes: 255 are allowed, split it`)
  const size = strings.reduce((sum, one) => sum + one.length + 1, 0)
  // What does not fit a DNS message, name and header included, cannot be answered.
  if (size > 65_000) throw new RangeError(`has ${size} bytes: 65000 are allowed`)
  return strings.map(quoteString).join(' ')
}

/** RFC 1876. */
const location =
  /^\d{1,2}(?: \d{1,2}(?: \d{1,2}(?:\.\d{1,3})?)?)? [NS] \d{1,3}(?: \d{1,2}(?: \d{1,2}(?:\.\d{1,3})?)?)? [EW] -?\d{1,8}(?:\.\d{1,2})?m?(?: \d{1,8}(?:\.\d{1,2})?m?){0,3}$/

function loc(fields: Field[]): string {
  const content = fields.map(({ text: one }) => one).join(' ')
  if (location.test(content)) return content
  throw new RangeError('must be a location such as 52 22 23.000 N 4 53 32.000 E -2.00m')
}

/** RFC 9460; values of unknown keys are `key123`. */
const serviceKey = /^(?:mandatory|alpn|no-default-alpn|port|ipv4hint|ech|ipv6hint|key\d{1,5})$/

function service(fields: Field[], zone: DomainName, raw: boolean): string {
  const [priority, target, ...parameters] = fields.map(({ text: one }) => one)
  if (priority === undefined || target === undefined) throw new RangeError('must be such as 1 . alpn=h2')
  const rest = parameters.map((parameter) => {
    const [key = '', ...value] = parameter.split('=')
    if (!serviceKey.test(key)) throw new RangeError(`there is no parameter ${key.slice(0, 40)}`)
    const all = value.join('=')
    if (!/^[\x21-\x7e]*$/.test(all) || /["\\;()]/.test(all)) throw new RangeError(`${key} holds what it may not`)
    return value.length === 0 ? key : `${key}="${all}"`
  })
  if (priority === '0' && rest.length > 0) throw new RangeError('an alias (priority 0) has no parameters')
  return [u16('the priority')(priority, zone, raw), name(target, zone, raw), ...rest].join(' ')
}

/**
 * One record's content in canonical form: absolute names, quoted texts; nothing in it can end the line or the quotes that it stands in.
 * `raw`: read as zone files mean it. Throws RangeError saying what is wrong.
 */
export function canonicalContent(type: string, content: string, zone: DomainName, raw = false): string {
  if (type === 'TXT') return text(content, raw)
  const fields = readFields(content)
  if (type === 'LOC') return loc(fields)
  if (type === 'SVCB' || type === 'HTTPS') return service(fields, zone, raw)
  const shape = shapes[type]
  if (!shape) throw new RangeError(`there is no record type ${type}`)
  const texts = fields.map(({ text: one }) => one)
  const count = shape.fields.length
  if (texts.length < count || (texts.length > count && !shape.rest))
    throw new RangeError(`must be such as ${shape.example}, found ${content.slice(0, 80)}`)
  const parts = shape.rest ? [...texts.slice(0, count - 1), texts.slice(count - 1).join('')] : texts
  return parts.map((part, i) => shape.fields[i]?.(part, zone, raw) ?? '').join(' ')
}
