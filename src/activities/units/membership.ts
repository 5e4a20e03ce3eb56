import { overridesFor } from '../overrides-for.ts'
import { type RunningService, serviceNamed } from '../service-of.ts'
import { findMachine, isSettled, theMachine, type UnitWork } from '../unit-work.ts'
import { componentOf } from '../world-of.ts'

/** Takes the machine out of a service's traffic and waits for its connections, `drain` ms at most. */
export async function leave(work: UnitWork): Promise<void> {
  const service = await runningService(work)
  if (!service) return
  const machine = await findMachine(work)
  if (machine?.status === 'ready') await work.deps.store.machines.update(machine.id, { status: 'installed' })
  const { drain } = (await componentOf(work)).update
  await service.toolkit.control.leave(service.context, member(work), { drain })
}

/** Puts the machine back into a service's traffic and waits until the service sends to it. */
export async function join(work: UnitWork): Promise<void> {
  const service = await runningService(work)
  if (service) {
    const overrides = (await overridesFor({ ...work, store: work.deps.store }))[service.context.service] ?? {}
    const going = new Set(work.plan.units.filter(({ kind }) => kind === 'destroy').map(({ machine }) => machine))
    await service.toolkit.control.join(service.context, member(work), { overrides, timeout: work.timings.join, going })
  }
  if (isSettled(work)) await work.deps.store.machines.update((await theMachine(work)).id, { status: 'ready' })
}

/** undefined: there is nothing that sends traffic, so nothing to leave or to join. */
async function runningService(work: UnitWork): Promise<RunningService | undefined> {
  const service = await serviceNamed(work, work.unit.service ?? '')
  return service && service.context.machines.length > 0 ? service : undefined
}

function member({ unit }: UnitWork) {
  return { component: unit.component, machine: unit.machine }
}
