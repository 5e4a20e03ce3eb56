import type { PlanCosts } from '../model/cost.ts'
import type { Change, ImportPreview, Plan } from '../model/plan.ts'
import { planCostsText } from './costs-text.ts'

/** A plan as the API shows it. */
export type PricedPlan = Plan & { costs: PlanCosts; imported: ImportPreview[] }

const signs = { create: '+', update: '~', replace: '-/+', remove: '-', import: '>', forget: '<', keep: ' ' } as const

/** A plan as people know it: one paragraph per machine that changes, a summary, what it costs, the digest. */
export function planText(plan: PricedPlan): string {
  const { changes, units, refusals, digest, deployment, release, costs, imported } = plan
  const changing = changes.filter(({ action }) => action !== 'keep')
  const lines = [`Plan for ${deployment}${release === undefined ? '' : `, release ${release}`}:`, '']
  for (const change of changing) {
    const end = units.find(({ kind, machine }) => kind === 'destroy' && machine === change.machine)
    lines.push(...changeLines(change, end?.wait))
    for (const seen of imported) if (seen.machine === change.machine) lines.push(...previewLines(seen))
  }
  for (const { message, fix } of refusals) lines.push('', `  refused: ${message}`, `           ${fix}`)
  if (changing.length > 0) lines.push('')
  const money = planCostsText(costs)
  lines.push(changing.length === 0 ? 'Nothing to do.' : summary(changes))
  if (money.length > 0) lines.push('', ...money, '')
  lines.push(`Digest: ${digest}`)
  return lines.join('\n')
}

function changeLines(
  { action, machine, component, replacement, on, reasons, stateful }: Change,
  wait: number | undefined,
): string[] {
  const data = stateful && (action === 'replace' || action === 'remove') ? '   !! its data is lost' : ''
  const target = replacement ? ` -> ${replacement}` : ''
  return [
    `  ${signs[action].padEnd(3)} ${machine} (${component}${on === undefined ? '' : ` on ${on}`})${target}: ${action}${data}`,
    ...(wait === undefined
      ? []
      : [`        its address stays for ${wait / 1000} s, as long as DNS answers may be kept`]),
    ...reasons.map(
      ({ message, before, after }) => `        ${message}${before === undefined ? '' : `: ${before} -> ${after}`}`,
    ),
  ]
}

function previewLines({ changes, unknown }: ImportPreview): string[] {
  const each = changes.map((one) => `          ${one.resource}: ${one.changes.join(', ')}`)
  return [
    ...(each.length > 0 ? ['        would change on it, as it is now:', ...each] : []),
    ...(each.length === 0 && unknown === undefined ? ['        nothing would change on it'] : []),
    ...(unknown === undefined ? [] : [`        what else would change on it shows with the deploy: ${unknown}`]),
  ]
}

function summary(changes: Change[]): string {
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  const counts = (['create', 'update', 'replace', 'remove'] as const).map((action) => `${count(action)} to ${action}`)
  const seldom = (['import', 'forget'] as const).filter((action) => count(action) > 0)
  const others = seldom.map((action) => `${count(action)} to ${action}`)
  return `Plan: ${[...counts, ...others].join(', ')}, ${count('keep')} unchanged.`
}
