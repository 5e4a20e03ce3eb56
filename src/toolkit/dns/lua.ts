import type { Health } from './schema.ts'

/** One answer of a routed set, its addresses known. */
export interface Answer {
  addresses: string[]
  weight?: number
  countries?: string[]
  continents?: string[]
}

/** A Lua text. Only addresses, numbers and checked words come here; quoting is done all the same. */
function text(value: string): string {
  return `'${value.replace(/[\\']/g, (character) => `\\${character}`)}'`
}

function list(values: string[]): string {
  return `{${values.join(',')}}`
}

/** Groups of addresses, the first with a healthy one wins, all healthy ones of it are answered; with none healthy, every address. */
function whileHealthy(health: Health, groups: string): string {
  const how = "{selector='all',backupSelector='all',timeout=2}"
  if ('tcp' in health) return `ifportup(${health.tcp},${groups},${how})`
  const expect = health.expect === undefined ? '' : `,stringmatch=${text(health.expect)}`
  return `ifurlup(${text(health.url)},${groups},{selector='all',backupSelector='all',timeout=2${expect}})`
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
  const scale = shares.reduce((most, { share }) => (Number.isInteger(share) ? most : 1000), 1)
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

/** The answer for the client's country, then its continent, then the others in order; the next one when none of its addresses is healthy. */
export function nearest(answers: Answer[], health: Health | undefined): string {
  const steps = (['countries', 'continents'] as const).flatMap((by) =>
    answers.flatMap(({ [by]: places }, i) => {
      const call = by === 'countries' ? 'country' : 'continent'
      return places ? [`if ${call}(${list(places.map(text))}) then p(${i + 1}) end`] : []
    }),
  )
  // Those that name no place are for everybody; the others come last.
  const rest = answers
    .map((answer, i) => ({ i, placed: answer.countries !== undefined || answer.continents !== undefined }))
    .sort((a, b) => Number(a.placed) - Number(b.placed) || a.i - b.i)
    .map(({ i }) => `p(${i + 1})`)
  const choose = health ? whileHealthy(health, 'o') : 'o[1]'
  return `;local g=${list(answers.map(group))} local o={} local s={} local function p(i) if not s[i] then s[i]=true o[#o+1]=g[i] end end ${steps.join(' ')} ${rest.join(' ')} return ${choose}`
}
