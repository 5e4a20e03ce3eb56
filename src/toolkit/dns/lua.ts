import type { Health } from './schema.ts'
import { quoteString } from './text-fields.ts'

/** One answer of a routed set, its addresses known. */
export interface Answer {
  addresses: string[]
  weight?: number | undefined
  countries?: string[] | undefined
  continents?: string[] | undefined
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

/** How checks are made: of what is alive all is answered, and everything when nothing is. */
function how(health: Health): string {
  const expect = 'url' in health && health.expect !== undefined ? `,stringmatch=${text(health.expect)}` : ''
  return `{selector='all',backupSelector='all',timeout=2${expect}}`
}

function group({ addresses }: Answer): string {
  return list(addresses.map(text))
}

/** The healthy ones of some addresses. */
export function healthy(addresses: string[], health: Health): string {
  const all = group({ addresses })
  return 'tcp' in health
    ? `ifportup(${health.tcp},${all},${how(health)})`
    : `ifurlup(${text(health.url)},{${all}},${how(health)})`
}

/** Addresses that nothing can listen on, and that are refused at once. */
const dead = { IPv4: '255.255.255.255', IPv6: 'ff0e::1' }

/**
 * Lua that returns the healthy addresses of the first group in `groups` that has one, else all addresses. PowerDNS before 4.9 takes no
 * groups for ports, and does not tell whether all of a list or nothing of it is healthy: a dead address in it does.
 */
function firstHealthy(health: Health, groups: string, answers: Answer[]): string {
  if ('url' in health) return `return ifurlup(${text(health.url)},${groups},${how(health)})`
  const mark = text(answers[0]?.addresses[0]?.includes(':') ? dead.IPv6 : dead.IPv4)
  return [
    `local h=${groups} for _,g in ipairs(h) do g[#g+1]=${mark} local u=ifportup(${health.tcp},g,${how(health)}) local d=false`,
    `for _,a in ipairs(u) do if a==${mark} then d=true end end if not d then return u end end`,
    'local r={} for _,g in ipairs(h) do for i=1,#g-1 do r[#r+1]=g[i] end end return r',
  ].join(' ')
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
  const all = healthy(
    weights.map(({ address }) => address),
    health,
  )
  const table = list(weights.map(({ address, share }) => `[${text(address)}]=${share}`))
  return `;local w=${table} local l={} for _,a in ipairs(${all}) do l[#l+1]={w[a],a} end return pickwrandom(l)`
}

/** The first answer that has a healthy address. */
export function failover(answers: Answer[], health: Health): string {
  return `;${firstHealthy(health, list(answers.map(group)), answers)}`
}

/**
 * The answer for the client's country, then its continent, then those for everybody, then all others in order; with health, the first of
 * these that has a healthy address.
 */
export function nearest(answers: Answer[], health: Health | undefined): string {
  const steps = (['countries', 'continents'] as const).flatMap((field) =>
    answers.flatMap(({ [field]: places }, i) => {
      const test = field === 'countries' ? 'country' : 'continent'
      return places ? [`if ${test}(${list(places.map(text))}) then p(${i + 1}) end`] : []
    }),
  )
  const isPlaced = ({ countries, continents }: Answer) => countries !== undefined || continents !== undefined
  const numbered = answers.map((answer, i) => ({ number: i + 1, placed: isPlaced(answer) }))
  const rest = [...numbered.filter(({ placed }) => !placed), ...numbered.filter(({ placed }) => placed)]
  return [
    `;local g=${list(answers.map(group))} local o={} local s={}`,
    'local function p(i) if not s[i] then s[i]=true o[#o+1]=g[i] end end',
    ...steps,
    ...rest.map(({ number }) => `p(${number})`),
    health ? firstHealthy(health, 'o', answers) : 'return o[1]',
  ].join(' ')
}
