import type { Plan } from '../model/plan.ts'

const signs = { create: '+', update: '~', replace: '-/+', remove: '-', keep: ' ' } as const

/** A plan as people know it: one paragraph per machine that changes, a summary, the digest. */
export function planText({ changes, units, refusals, digest, deployment, release }: Plan): string {
  const lines = [`Plan for ${deployment}${release === undefined ? '' : `, release ${release}`}:`, '']
  for (const { action, machine, component, replacement, reasons, stateful } of changes) {
    if (action === 'keep') continue
    const data = stateful && (action === 'replace' || action === 'remove') ? '   !! its data is lost' : ''
    lines.push(
      `  ${signs[action].padEnd(3)} ${machine} (${component})${replacement ? ` -> ${replacement}` : ''}: ${action}${data}`,
    )
    const wait = units.find(({ kind, machine: of }) => kind === 'destroy' && of === machine)?.wait
    if (wait !== undefined)
      lines.push(`        its address stays for ${wait / 1000} s, as long as DNS answers may be kept`)
    for (const { message, before, after } of reasons)
      lines.push(`        ${message}${before === undefined ? '' : `: ${before} -> ${after}`}`)
  }
  for (const { message, fix } of refusals) lines.push('', `  refused: ${message}`, `           ${fix}`)
  const count = (action: string) => changes.filter((change) => change.action === action).length
  const summary = (['create', 'update', 'replace', 'remove'] as const)
    .map((action) => `${count(action)} to ${action}`)
    .join(', ')
  lines.push(
    '',
    changes.every(({ action }) => action === 'keep')
      ? 'Nothing to do.'
      : `Plan: ${summary}, ${count('keep')} unchanged.`,
    `Digest: ${digest}`,
  )
  return lines.join('\n')
}
