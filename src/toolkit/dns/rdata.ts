import { location } from './location.ts'
import { type DomainName, readName } from './name.ts'
import { addressField, hex, oneOf, type Reader, string, u8, u16 } from './rdata-fields.ts'
import { serviceBinding } from './service-binding.ts'
import { chunks, quoteString, readFields } from './text-fields.ts'

/** Bytes that all contents of a set may have together: what does not fit a DNS message of 65,535 bytes cannot be answered. */
const maxBytes = 65_000
/** Of each record beside its content: compressed name, type, class, TTL, length (RFC 1035, 4.1.3). */
const recordOverhead = 12

/** A host or other name. In a zone file (`raw`) only the dot at the end makes it whole. */
const name: Reader = (text, zone, raw) => {
  if (text === '.') return '.'
  const below = zone === '' ? `${text}.` : `${text}.${zone}.`
  const found = readName(raw && text !== '@' && !text.endsWith('.') ? below : text, zone)
  if (found !== undefined) return `${found}.`
  throw new RangeError(`must be a host name, found ${text.slice(0, 80)}`)
}

/** Fields of types whose content has a fixed number of them. `rest: true`: the last reader takes all that is left, joined. */
interface Shape {
  fields: Reader[]
  rest?: true
  /** Of the fields together. Throws RangeError. */
  check?(parts: string[]): void
  example: string
}

/** A hash of `kind` has as many bytes as its kind says; kinds that are not known are taken as they are. */
function checkHash(what: string, bytes: Record<string, number>, kind = '', hash = ''): void {
  const expected = bytes[kind]
  if (expected !== undefined && hash.length !== 2 * expected)
    throw new RangeError(`${what} ${kind} has ${expected} bytes, found ${hash.length / 2}`)
}

const shapes: Record<string, Shape> = {
  A: { fields: [addressField('IPv4')], example: '192.0.2.1' },
  AAAA: { fields: [addressField('IPv6')], example: '2001:db8::1' },
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
    // RFC 4255, 3.1.2; RFC 6594, 4.
    check: ([, kind, hash]) => checkHash('a fingerprint of type', { 1: 20, 2: 32 }, kind, hash),
    example: '4 2 ab12...',
  },
  TLSA: {
    fields: [u8('the usage'), u8('the selector'), u8('the matching type'), hex('the data')],
    rest: true,
    // RFC 6698, 2.1.3.
    check: ([, , kind, hash]) => checkHash('data of matching type', { 1: 32, 2: 64 }, kind, hash),
    example: '3 1 1 ab12...',
  },
}

/** Record types that a set may have. */
export const recordTypes = [...Object.keys(shapes), 'TXT', 'LOC', 'SVCB', 'HTTPS'].sort()

/** Whether records of this type make a name stand for another one; a name has one such record at most. */
export const isAlias = (type: string): boolean => type === 'CNAME' || type === 'ALIAS'

const quotedStrings = /^\s*"(?:\\.|[^"\\])*"(?:\s+"(?:\\.|[^"\\])*")*\s*$/s

/** TXT: the value is the text itself, unless all of it is written in quotes as zone files do (RFC 1035, 5.1). */
function text(content: string, raw: boolean): string {
  const strings =
    raw || quotedStrings.test(content)
      ? readFields(content).map(({ text: one }) => one)
      : chunks(Buffer.from(content, 'utf8').toString('latin1'))
  if (strings.length === 0) throw new RangeError('is empty')
  const long = strings.find((one) => one.length > 255)
  if (long !== undefined) throw new RangeError(`a text of ${long.length} bytes in quotes: 255 are allowed, split it`)
  return strings.map(quoteString).join(' ')
}

/**
 * One record's content in canonical form: absolute names, quoted texts; nothing in it can end the line or the quotes that it stands in.
 * `raw`: read as zone files mean it. Throws RangeError saying what is wrong.
 */
export function canonicalContent(type: string, content: string, zone: DomainName, raw = false): string {
  if (type === 'TXT') return text(content, raw)
  const fields = readFields(content)
  const texts = fields.map(({ text: one }) => one)
  if (type === 'LOC') return location(texts)
  if (type === 'SVCB' || type === 'HTTPS') return serviceBinding(texts, (target) => name(target, zone, raw))
  const shape = shapes[type]
  if (!shape) throw new RangeError(`there is no record type ${type}`)
  const count = shape.fields.length
  if (texts.length < count || (texts.length > count && !shape.rest))
    throw new RangeError(`must be such as ${shape.example}, found ${content.slice(0, 80)}`)
  const parts = shape.rest ? [...texts.slice(0, count - 1), texts.slice(count - 1).join('')] : texts
  const canonical = shape.fields.map((reader, i) => {
    if (reader === name && fields[i]?.escaped) throw new RangeError('a name with a \\ is not supported')
    return reader(parts[i] ?? '', zone, raw)
  })
  shape.check?.(canonical)
  return canonical.join(' ')
}

/** Bytes of a canonical content in a message, or somewhat more. */
function wireLength(content: string): number {
  return content.replace(/\\(?:\d{3}|.)/g, 'x').replace(/" "/g, ' ').length
}

/** Contents of one set: canonical, each once, sorted. Throws RangeError also for what does not go together. */
export function canonicalContents(type: string, values: string[], zone: DomainName): string[] {
  const contents = [...new Set(values.map((value) => canonicalContent(type, value, zone)))].sort()
  if (isAlias(type) && contents.length > 1)
    throw new RangeError(`a name has one ${type} record, found ${contents.length}`)
  const bytes = contents.reduce((sum, one) => sum + wireLength(one) + recordOverhead, 0)
  if (bytes > maxBytes) throw new RangeError(`has ${bytes} bytes: ${maxBytes} are allowed, for they go in one answer`)
  return contents
}
