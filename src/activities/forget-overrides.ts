import type { MachineRecord } from '../model/machine.ts'
import { serviceNamed } from './service-of.ts'
import type { UnitWork } from './unit-work.ts'

/** What was changed about a machine at run time ends with it: the next one of its name is another. */
export async function forgetOverrides(work: UnitWork, { component, name: machine }: MachineRecord): Promise<void> {
  const { deps, deployment } = work
  const stored = await deps.store.overrides.list(deployment.id)
  for (const [scope, overrides] of Object.entries(stored)) {
    const service = await serviceNamed(work, scope)
    const keys = service?.toolkit.overridesOf?.({ component, machine }, service.context.spec, overrides) ?? []
    if (keys.length === 0) continue
    await deps.store.overrides.set(deployment.id, scope, Object.fromEntries(keys.map((key) => [key, null])))
  }
}
