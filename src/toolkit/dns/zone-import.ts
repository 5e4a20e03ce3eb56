import { KitbagError } from '../../model/errors.ts'
import { type DomainName, isWithin } from './name.ts'
import { canonicalContent, recordTypes } from './rdata.ts'

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

/** `3600`, `1h30m`: seconds (RFC 2308 and BIND's letters). */
function seconds(text: string): number | undefined {
  if (!/^(?:\d+[smhdw]?)+$/i.test(text)) return undefined
  const parts = text.toLowerCase().match(/\d+[smhdw]?/g) ?? []
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * (units[part.at(-1) ?? ''] ?? 1), 0)
}

/**
 * Reads a zone file (RFC 1035, 5; `$ORIGIN`, `$TTL`, brackets, comments). The zone's own SOA, NS and DNSSEC records are left out: the
 * servers make theirs. Throws `invalid-request` naming every line that cannot be read or served.
 */
export function importZone(text: string, zone: DomainName): ImportedSet[] {
  const sets = new Map<string, ImportedSet>()
  const problems: { path: string; message: string }[] = []
  let origin = zone
  let standard = 3600
  let last = zone
  for (const { number, content } of logicalLines(text)) {
    const refuse = (message: string) => problems.push({ path: `line ${number}`, message })
    const words = wordsOf(content)
    if (words.length === 0) continue
    if (words[0] === '$ORIGIN') origin = whole(words[1] ?? '', origin)
    else if (words[0] === '$TTL') standard = seconds(words[1] ?? '') ?? standard
    else if (words[0]?.startsWith('$')) refuse(`${words[0]} is not supported`)
    else {
      if (!/^\s/.test(content)) last = whole(words.shift() ?? '', origin)
      let ttl = standard
      while (words.length > 0) {
        const found = seconds(words[0] ?? '')
        if (found !== undefined) ttl = found
        else if (!/^(?:IN|CH|HS)$/i.test(words[0] ?? '')) break
        words.shift()
      }
      const type = words.shift()?.toUpperCase() ?? ''
      if (ownTypes.includes(type) || (type === 'NS' && last === zone)) continue
      if (!recordTypes.includes(type)) {
        refuse(`there is no record type ${type || '(none)'} here`)
        continue
      }
      if (!isWithin(last, zone)) {
        refuse(`${last} is outside of the zone ${zone}`)
        continue
      }
      try {
        // Read by zone files' rules; kept absolute.
        const value = canonicalContent(type, words.join(' '), origin, true)
        const key = `${last} ${type}`
        const set = sets.get(key) ?? { name: last, type, ttl: Math.min(ttl, 604_800) * 1000, values: [] }
        if (!set.values.includes(value)) set.values.push(value)
        sets.set(key, set)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        refuse(`${last} ${type}: ${error.message}`)
      }
    }
  }
  if (problems.length > 0)
    throw new KitbagError('invalid-request', `the zone file has ${problems.length} lines that cannot be read`, {
      problems: problems.slice(0, 100),
    })
  return [...sets.values()]
}

function whole(word: string, origin: DomainName): DomainName {
  const lower = word.toLowerCase()
  if (lower === '@') return origin
  return lower.endsWith('.') ? lower.slice(0, -1) : `${lower}.${origin}`
}

/** Lines without comments; what stands in brackets is one line. */
function* logicalLines(text: string): Generator<{ number: number; content: string }> {
  let depth = 0
  let content = ''
  let start = 1
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (depth === 0) {
      content = ''
      start = i + 1
    }
    let quoted = false
    for (let at = 0; at < line.length; at++) {
      const character = line[at] ?? ''
      if (character === '\\') {
        content += character + (line[++at] ?? '')
        continue
      }
      if (character === '"') quoted = !quoted
      if (!quoted && character === ';') break
      if (!quoted && character === '(') depth++
      else if (!quoted && character === ')') depth = Math.max(0, depth - 1)
      else content += character
    }
    if (depth > 0) content += ' '
    else yield { number: start, content }
  }
}

/** Words as they stand, quotes and escapes kept. */
function wordsOf(line: string): string[] {
  return line.match(/(?:"(?:\\.|[^"\\])*"|\\.|[^\s"])+/g) ?? []
}
