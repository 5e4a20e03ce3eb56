import type { MachineRecord } from '../model/machine.ts'
import type { Change, Plan, Reason, Refusal } from '../model/plan.ts'
import { endOf } from './change-context.ts'
import type { Fate } from './fate.ts'
import type { PlanInput } from './plan-input.ts'
import { reasonsText } from './reasons.ts'

/** What kinds of plans differ in. */
export type PlanBody = Pick<Plan, 'units' | 'changes' | 'refusals'>

/** A machine stays as it is. `machines`: all that there are, of which it may share one. */
export function keep({ component, name: machine, stateful, hostId }: MachineRecord, machines: MachineRecord[]): Change {
  const on = hostId === undefined ? undefined : machines.find(({ id }) => id === hostId)?.name
  return { action: 'keep', component, machine, ...(on !== undefined && { on }), reasons: [], stateful }
}

const letGo = 'it was imported: it is let go and runs on'

/** What becomes of each machine. `updates`: machine -> why it is touched, of those that stay. */
export function changesOf(
  fates: Fate[],
  orphans: MachineRecord[],
  updates: Map<string, Reason[]>,
  input: PlanInput,
): Change[] {
  const changes: Change[] = []
  const stateful = (name: string) => input.release?.spec.recipes[name]?.stateful ?? false
  for (const { component, stay, create, wait, remove } of fates) {
    for (const machine of wait)
      changes.push({
        ...keep(machine, input.machines),
        reasons: [{ message: `it was imported: ${component.name} has no place for it yet` }],
      })
    for (const machine of stay) {
      const reasons = updates.get(machine.name)
      const kept = keep(machine, input.machines)
      changes.push(reasons ? { ...kept, action: 'update', reasons } : kept)
    }
    for (const { name, row, reasons, replaces, on } of create) {
      if (!replaces)
        changes.push({
          action: row?.status === 'imported' ? 'update' : 'create',
          component: component.name,
          machine: name,
          ...(on !== undefined && { on }),
          reasons,
          stateful: stateful(component.recipe),
        })
    }
    for (const { machine, replacement, reasons } of remove) {
      const end = endOf(input, machine)
      changes.push({
        ...keep(machine, input.machines),
        action: replacement ? 'replace' : end === 'forget' ? 'forget' : 'remove',
        ...(replacement && { replacement }),
        reasons: replacement && end === 'forget' ? [...reasons, { message: letGo }] : reasons,
      })
    }
  }
  for (const machine of orphans) {
    const message = input.release ? `the blueprint has no ${machine.component} any more` : 'nothing shall be left'
    const end = endOf(input, machine)
    const reasons = end === 'forget' ? [{ message }, { message: letGo }] : [{ message }]
    changes.push({ ...keep(machine, input.machines), action: end === 'forget' ? 'forget' : 'remove', reasons })
  }
  return changes
}

/** What may not be until somebody says that the data may be lost. A machine that was never configured holds no data yet. */
export function refusalsOf(changes: Change[], { kind, machines, allowDataLoss }: PlanInput): Refusal[] {
  return changes.flatMap(({ action, component, machine, stateful, reasons }) => {
    const leaves = action === 'replace' || action === 'remove' || (action === 'forget' && kind === 'forget')
    if (!stateful || !leaves || allowDataLoss.includes(component)) return []
    const row = machines.find(({ name }) => name === machine)
    if (row && row.configureDigest === null && row.releaseNumber === null) return []
    const message =
      action === 'forget'
        ? `${machine} holds data that ${component} would be without: to forget it alone is refused`
        : `${machine} holds data that would be lost: to ${action} it is refused (${reasonsText(reasons)})`
    return [
      {
        code: 'data-loss-refused' as const,
        component,
        machine,
        message,
        fix: `Say so if its data may be lost: --allow-data-loss ${component}`,
      },
    ]
  })
}
