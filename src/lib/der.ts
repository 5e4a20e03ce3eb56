/** Writing ASN.1 in DER (X.690): as much of it as certificates and requests need. Reading is Node's own `X509Certificate`. */

/** Tag, length, contents. */
function element(tag: number, contents: Buffer): Buffer {
  const { length } = contents
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), contents])
  const hex = length.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length), bytes, contents])
}

export const sequence = (...members: Buffer[]): Buffer => element(0x30, Buffer.concat(members))
export const set = (...members: Buffer[]): Buffer => element(0x31, Buffer.concat(members))
export const octets = (contents: Buffer): Buffer => element(0x04, contents)
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text))
export const truth = (): Buffer => element(0x01, Buffer.of(0xff))

/** `[number]`; `constructed`: around other elements. */
export function context(number: number, contents: Buffer, constructed = false): Buffer {
  return element(0x80 | (constructed ? 0x20 : 0) | number, contents)
}

/** Unsigned, most significant byte first. */
export function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const short = first < 0 ? Buffer.of(0) : bytes.subarray(first)
  return element(0x02, (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short)
}

/** `unused`: bits at the end that do not count. */
export function bits(bytes: Buffer, unused = 0): Buffer {
  return element(0x03, Buffer.concat([Buffer.of(unused), bytes]))
}

/** `1.2.840.10045.4.3.2` */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const digits = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128))
  return digits
}

/** RFC 5280, 4.1.2.5: UTCTime until 2049, GeneralizedTime after. */
export function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(text.slice(2))) : element(0x18, Buffer.from(text))
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
