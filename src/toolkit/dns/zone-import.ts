import { KitbagError } from '../../model/errors.ts'
import { absoluteName, type DomainName, isWithin } from './name.ts'
import { canonicalContent, canonicalContents, recordTypes } from './rdata.ts'
import { type ZoneLine, zoneLines } from './zone-lines.ts'

/** One record set of a zone file. */
export interface ImportedSet {
  name: DomainName
  type: string
  /** Milliseconds. */
  ttl: number
  values: string[]
}

/** What the zone's name servers make themselves. */
const ownTypes = ['SOA', 'RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY']

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** 7 days, the most that a set may have; what is longer is cut to it. */
const maxTtl = 604_800

/** Of a file that says none. */
const usualTtl = 3600

/** `3600`, `1h30m`: seconds (BIND's letters). */
function seconds(text: string): number | undefined {
  if (!/^(?:\d{1,10}|(?:\d{1,10}[smhdw])+)$/i.test(text)) return undefined
  const parts = text.toLowerCase().match(/\d+[smhdw]?/g) ?? []
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * (units[part.at(-1) ?? ''] ?? 1), 0)
}

/** What names without a dot at their end, records without a TTL and lines without a name mean. */
interface Position {
  origin: DomainName
  ttl: number
  owner: DomainName
}

/** One record; undefined: a directive, or what the zone's name servers make. Throws RangeError saying what is wrong. */
function readLine(
  { indented, words }: ZoneLine,
  at: Position,
  zone: DomainName,
): (Omit<ImportedSet, 'values'> & { value: string }) | undefined {
  const [first = '', argument = ''] = words
  if (first.startsWith('$')) return void readDirective(first, argument, at)
  const rest = [...words]
  if (!indented) at.owner = whole(rest.shift() ?? '', at.origin)
  const name = at.owner
  let { ttl } = at
  for (; rest.length > 0; rest.shift()) {
    const found = seconds(rest[0] ?? '')
    if (found !== undefined) ttl = found
    else if (/^(?:CH|HS)$/i.test(rest[0] ?? '')) throw new RangeError(`the class ${rest[0]} is not supported`)
    else if (!/^IN$/i.test(rest[0] ?? '')) break
  }
  const type = rest.shift()?.toUpperCase() ?? ''
  if (ownTypes.includes(type) || (type === 'NS' && name === zone)) return undefined
  if (!recordTypes.includes(type)) throw new RangeError(`there is no record type ${type.slice(0, 40) || '(none)'} here`)
  if (!isWithin(name, zone)) throw new RangeError(`${name || '.'} is outside of the zone ${zone}`)
  try {
    const value = canonicalContent(type, rest.join(' '), at.origin, true)
    return { name, type, ttl: Math.min(ttl, maxTtl) * 1000, value }
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${name} ${type}: ${error.message}`) : error
  }
}

function readDirective(word: string, argument: string, at: Position): void {
  if (word === '$ORIGIN') at.origin = whole(argument, at.origin)
  else if (word === '$TTL') {
    const found = seconds(argument)
    if (found === undefined) throw new RangeError(`$TTL must be a time, found ${argument.slice(0, 40)}`)
    at.ttl = found
  } else throw new RangeError(`${word.slice(0, 40)} is not supported`)
}

/** A name of the file, whole. */
function whole(word: string, origin: DomainName): DomainName {
  if (word === '@') return origin
  if (word === '.') return ''
  const name = absoluteName(word.endsWith('.') || origin === '' ? word : `${word}.${origin}`)
  if (name === undefined) throw new RangeError(`${word.slice(0, 80) || '(nothing)'} is not a name that can be served`)
  return name
}

/**
 * Reads a zone file (RFC 1035, 5; `$ORIGIN`, `$TTL`, brackets, comments). The zone's own SOA, NS and DNSSEC records are left out, and the
 * addresses of its own name servers: Kitbag makes them. Throws `invalid-request` naming every line that cannot be read or served.
 */
export function importZone(text: string, zone: DomainName, nameservers: DomainName[] = []): ImportedSet[] {
  const sets = new Map<string, ImportedSet>()
  const problems: { path: string; message: string }[] = []
  const at: Position = { origin: zone, ttl: usualTtl, owner: zone }
  const attempt = (path: string, work: () => void) => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      problems.push({ path, message: error.message })
    }
  }
  attempt('file', () => {
    for (const line of zoneLines(text))
      attempt(`line ${line.number}`, () => {
        const record = readLine(line, at, zone)
        if (!record || (nameservers.includes(record.name) && ['A', 'AAAA'].includes(record.type))) return
        const { value, ...set } = record
        const key = `${set.name} ${set.type}`
        const there = sets.get(key)
        if (there) there.values.push(value)
        else sets.set(key, { ...set, values: [value] })
      })
  })
  for (const set of sets.values())
    attempt(`${set.name} ${set.type}`, () => {
      set.values = canonicalContents(set.type, set.values, zone)
    })
  if (problems.length === 0) return [...sets.values()]
  const [first] = problems
  const where = `${first?.path}: ${first?.message}`
  throw new KitbagError('invalid-request', `the zone file has ${problems.length} problems, the first in ${where}`, {
    problems: problems.slice(0, 100),
  })
}
