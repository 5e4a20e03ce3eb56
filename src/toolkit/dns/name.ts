/** A name as DNS compares it: lower case, absolute, without the dot at its end. The root is the empty text. */
export type DomainName = string

const label = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/

/**
 * Reads a name as it is written in a blueprint: with a dot at its end, or with dots inside, it is whole; a single label is below the
 * zone, `@` is the zone itself. undefined: it is no name (RFC 1035: labels of 63, 253 characters in all). `_` is allowed, as services use it.
 */
export function readName(text: string, zone: DomainName): DomainName | undefined {
  if (text === '@') return zone
  const lower = text.toLowerCase()
  if (lower.endsWith('.') || lower.includes('.')) return absoluteName(lower)
  return absoluteName(`${lower}.${zone}`)
}

/** A whole name, with or without the dot at its end. */
export function absoluteName(text: string): DomainName | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > 253) return undefined
  return name.split('.').every((part, i) => label.test(part) && (part !== '*' || i === 0)) ? name : undefined
}

/** The name of a record set: below its zone, whichever way it is written. undefined: no name, or outside. */
export function ownerName(text: string, zone: DomainName): DomainName | undefined {
  if (text === '@') return zone
  const lower = text.toLowerCase()
  const whole = absoluteName(lower)
  if (whole !== undefined && isWithin(whole, zone)) return whole
  if (lower.endsWith('.')) return undefined
  return absoluteName(`${lower}.${zone}`)
}

/** Whether a name is the zone's own or below it. */
export function isWithin(name: DomainName, zone: DomainName): boolean {
  return name === zone || name.endsWith(`.${zone}`)
}

/** `www` for `www.shop.example`, `@` for the zone itself. */
export function relativeName(name: DomainName, zone: DomainName): string {
  return name === zone ? '@' : name.slice(0, -zone.length - 1)
}

/** What `relativeName` made a name from. */
export function fromRelative(relative: string, zone: DomainName): DomainName {
  return relative === '@' ? zone : `${relative}.${zone}`
}

/** On the wire (RFC 1035, 3.1), in the canonical form of RFC 4034, 6.2. */
export function wireName(name: DomainName): Buffer {
  const labels = name === '' ? [] : name.split('.')
  const parts = labels.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part, 'ascii')]))
  return Buffer.concat([...parts, Buffer.from([0])])
}
