import type { CostNotes, CostSum, DeploymentCosts, PlanCosts } from '../model/cost.ts'

const headings = ['', 'NOW', 'AFTER', 'DIFFERENCE', 'MACHINES', 'DISKS', 'ADDRESSES']

/** Costs of a plan as people know them: a line for each component, the total, whose prices, what is not known. Empty: nothing costs anything. */
export function planCostsText({ components, total, ...notes }: PlanCosts): string[] {
  const sums = components.flatMap(({ now, after }) => [now, after])
  if (sums.every(isNothing)) return []
  if (sums.every(isUnknown)) return ['Costs: unknown', ...noteLines(notes)]
  const currency = sharedCurrency(sums)
  const rowOf = (name: string, { now, after, difference }: PlanCosts['total']) => [
    [name, ...(currency === undefined ? [after.currency ?? now.currency ?? ''] : [])].join(' ').trim(),
    money(now.total),
    money(after.total),
    signed(difference),
    money(after.machine),
    money(after.disk),
    money(after.address),
  ]
  const rows = components.map((one) => rowOf(nameOf(one.component, one.after), one))
  const head = `Costs a month (${notes.hours} hours)${currency ? ` in ${currency}` : ''}; what they are after the change, taken apart:`
  return [head, '', ...aligned([headings, ...rows, rowOf('total', total)]), '', ...noteLines(notes)]
}

/** What a deployment costs, in one line and what is not known. Empty: nothing. */
export function deploymentCostsText({ total, components, ...notes }: DeploymentCosts): string[] {
  if (components.every(isNothing)) return []
  if (isUnknown(total)) return ['costs unknown', ...noteLines(notes)]
  const { machine, disk, address } = total
  const known = `machines ${money(machine)}, disks ${money(disk)}, addresses ${money(address)}`
  const currency = total.currency ? ` ${total.currency}` : ''
  return [`costs ${money(total.total)}${total.total === null ? '' : currency} a month (${known})`, ...noteLines(notes)]
}

function noteLines({ prices, unknown, atMost }: CostNotes): string[] {
  const sources = prices.map(({ of, date, source }) => `${of} of ${date} (${source})`)
  return [
    ...(sources.length > 0 ? [`Prices: ${sources.join(', ')}. Traffic is not counted.`] : []),
    ...(atMost ? ['Spot machines are counted as on demand: it may cost less.'] : []),
    ...unknown.map((reason) => `Not known: ${reason}`),
  ]
}

function nameOf(component: string, { machines }: CostSum): string {
  return machines > 1 ? `${component} x ${machines}` : component
}

function isNothing({ total }: CostSum): boolean {
  return total === 0
}

function isUnknown({ machines, machine, disk, address }: CostSum): boolean {
  return machines === 0 || (machine === null && disk === null && address === null)
}

/** Of the amounts that are known. null: nobody says it; undefined: there are several. */
function sharedCurrency(sums: CostSum[]): string | null | undefined {
  const known = sums.filter(({ machine, disk, address }) => machine || disk || address)
  const found = new Set(known.map(({ currency }) => currency))
  return found.size > 1 ? undefined : ([...found][0] ?? null)
}

/** Amounts that are not known are said to be so. */
function money(value: number | null): string {
  return value === null ? 'unknown' : value.toFixed(2)
}

function signed(value: number | null): string {
  return value !== null && value > 0 ? `+${money(value)}` : money(value)
}

/** Names to the left, figures to the right. */
function aligned(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    return `  ${cells.join('  ')}`
  })
}
