import type { Health } from './schema.ts'
import { quoteString } from './text-fields.ts'

/** One answer of a routed set, its addresses known. */
export interface Answer {
  addresses: string[]
  weight?: number
}

/** Characters of one Lua text at most: it has to fit one character string of the record. */
const textPiece = 100

/**
 * A Lua text. `"`, `'` and `\` are given by number, because PowerDNS 4 takes the record's text apart at each `"` and does not undo escapes.
 */
function text(value: string): string {
  const parts = value.match(new RegExp(`["'\\\\]|[^"'\\\\]{1,${textPiece}}`, 'g')) ?? []
  const pieces = parts.map((part) => (/^["'\\]$/.test(part) ? `string.char(${part.charCodeAt(0)})` : `'${part}'`))
  return pieces.join('..') || "''"
}

/**
 * Lua as the character strings of a record. PowerDNS before 5.0 puts blanks between them, so they are cut between words of the language
 * only, never inside of a text.
 */
export function luaStrings(code: string): string {
  const strings: string[] = []
  let current = ''
  for (const [word] of code.matchAll(/'[^']*'|\s+|\w+|\.\.|[^\w\s']/g)) {
    if (current.length + word.length > 255) {
      strings.push(current)
      current = ''
    }
    current += word
  }
  return [...strings, current].map(quoteString).join(' ')
}

function list(values: string[]): string {
  return `{${values.join(',')}}`
}

/** Groups of addresses, the first with a healthy one wins, all healthy ones of it are answered; with none healthy, every address. */
function whileHealthy(health: Health, groups: string): string {
  const how = "selector='all',backupSelector='all',timeout=2"
  if ('tcp' in health) return `ifportup(${health.tcp},${groups},{${how}})`
  const expect = health.expect === undefined ? '' : `,stringmatch=${text(health.expect)}`
  return `ifurlup(${text(health.url)},${groups},{${how}${expect}})`
}

function group({ addresses }: Answer): string {
  return list(addresses.map(text))
}

/** The healthy ones of some addresses. */
export function healthy(addresses: string[], health: Health): string {
  return whileHealthy(health, list([group({ addresses })]))
}

/** One address by weight, of those that are healthy. */
export function weighted(answers: Answer[], health: Health | undefined): string {
  const shares = answers.flatMap(({ addresses, weight = 0 }) =>
    addresses.map((address) => ({ address, share: weight / addresses.length })),
  )
  // Shares are whole numbers for pickwrandom.
  const scale = shares.every(({ share }) => Number.isInteger(share)) ? 1 : 1000
  const weights = shares
    .map(({ address, share }) => ({ address, share: Math.round(share * scale) }))
    .filter(({ share }) => share > 0)
  if (!health) return `pickwrandom(${list(weights.map(({ address, share }) => `{${share},${text(address)}}`))})`
  const all = list([list(weights.map(({ address }) => text(address)))])
  const table = list(weights.map(({ address, share }) => `[${text(address)}]=${share}`))
  return `;local w=${table} local l={} for _,a in ipairs(${whileHealthy(health, all)}) do l[#l+1]={w[a],a} end return pickwrandom(l)`
}

/** The first answer that has a healthy address. */
export function failover(answers: Answer[], health: Health): string {
  return whileHealthy(health, list(answers.map(group)))
}
