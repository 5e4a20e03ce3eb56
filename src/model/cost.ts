/** Hours that a month is counted with, as the clouds' own calculators do. */
export const hoursPerMonth = 730

/** Where amounts come from. */
export interface PriceList {
  /** Which prices, for people: `aws us-east-1`. */
  of: string
  /** Day that they are of, `2026-01-19`. */
  date: string
  /** Who says so. */
  source: string
}

/** Amounts of a month of 730 hours, in 1/10000 of the currency at most. null: not known, which is never the same as 0. */
export interface CostParts {
  /** On demand. */
  machine: number | null
  disk: number | null
  /** Public addresses. */
  address: number | null
}

/** What one machine costs in a month. */
export interface MachineCost extends CostParts {
  /** ISO 4217; null: nobody says which. */
  currency: string | null
  prices: PriceList | null
  /** What is not known, and what to do about it; null: all is known. */
  unknown: string | null
  /** It may cost less: it is asked for on spot first, whose price changes by the hour, and counted as on demand. */
  atMost: boolean
}

/** What several machines cost in a month. */
export interface CostSum extends CostParts {
  machines: number
  /** null: a part is not known, or the parts are of several currencies. */
  total: number | null
  currency: string | null
}

const parts = ['machine', 'disk', 'address'] as const

/** To 1/10000 of the currency: sums of such amounts are exact. */
export function amount(value: number): number {
  return Math.round(value * 10_000) / 10_000
}

/** Sum that knows nothing as soon as one of the amounts is not known. */
export function addUp(amounts: (number | null)[]): number | null {
  return amounts.reduce((sum, one) => (sum === null || one === null ? null : amount(sum + one)), 0)
}

/** Costs of several machines, part by part. */
export function sumOf(costs: MachineCost[]): CostSum {
  const currencies = currenciesOf(costs)
  const [currency = null] = currencies.length > 1 ? [] : currencies
  const sum = (part: (typeof parts)[number]) => (currencies.length > 1 ? null : addUp(costs.map((cost) => cost[part])))
  const [machine, disk, address] = [sum('machine'), sum('disk'), sum('address')]
  return { machines: costs.length, machine, disk, address, total: addUp([machine, disk, address]), currency }
}

/** Those of amounts that are known; what costs nothing is of any currency. */
function currenciesOf(costs: MachineCost[]): (string | null)[] {
  const priced = costs.filter((cost) => parts.some((part) => cost[part] !== 0 && cost[part] !== null))
  return [...new Set(priced.map(({ currency }) => currency))]
}

/** What stands beside the amounts: whose prices they are, and what is not known. */
export interface CostNotes {
  hours: number
  prices: PriceList[]
  unknown: string[]
  /** Some machines are asked for on spot first, and counted as on demand. */
  atMost: boolean
}

/** What has to be said of these costs, each thing once. */
export function notesOn(costs: MachineCost[]): CostNotes {
  const lists = costs.flatMap(({ prices }) => (prices ? [[JSON.stringify(prices), prices] as const] : []))
  const currencies = currenciesOf(costs)
  const mixed = `amounts in ${currencies.map((one) => one ?? 'no stated currency').join(' and ')} are not added up`
  const unknown = costs.flatMap((cost) => cost.unknown ?? [])
  return {
    hours: hoursPerMonth,
    prices: [...new Map(lists).values()],
    unknown: [...new Set([...unknown, ...(currencies.length > 1 ? [mixed] : [])])],
    atMost: costs.some(({ atMost }) => atMost),
  }
}

/** What a component's machines cost: now, and after the change. */
export interface ComponentCost {
  component: string
  now: CostSum
  after: CostSum
  /** null: one of both is not known. */
  difference: number | null
}

/** What a plan changes about what a deployment costs. */
export interface PlanCosts extends CostNotes {
  components: ComponentCost[]
  total: Omit<ComponentCost, 'component'>
}

/** What a deployment costs as it is. */
export interface DeploymentCosts extends CostNotes {
  components: ({ component: string } & CostSum)[]
  total: CostSum
}

/** Of a machine of which nothing is known. */
export function unknownCost(unknown: string): MachineCost {
  return { machine: null, disk: null, address: null, currency: null, prices: null, unknown, atMost: false }
}
