import { machinesEnding } from '../../model/plan.ts'
import type { Overrides } from '../../toolkit/contract.ts'
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
  const overrides = await overridesOf(work, service)
  const going = machinesEnding(work.plan.units).has(work.unit.machine)
  await service.toolkit.control.leave(service.context, member(work), { overrides, drain, going })
}

/** Puts the machine back into a service's traffic and waits until the service sends to it. */
export async function join(work: UnitWork): Promise<void> {
  const service = await runningService(work)
  if (service) {
    const options = {
      overrides: await overridesOf(work, service),
      timeout: work.timings.join,
      going: machinesEnding(work.plan.units),
    }
    await service.toolkit.control.join(service.context, member(work), options)
  }
  if (isSettled(work)) await work.deps.store.machines.update((await theMachine(work)).id, { status: 'ready' })
}

/** undefined: there is nothing that sends traffic, so nothing to leave or to join. */
async function runningService(work: UnitWork): Promise<RunningService | undefined> {
  const service = await serviceNamed(work, work.unit.service ?? '')
  return service && service.context.machines.length > 0 ? service : undefined
}

async function overridesOf(work: UnitWork, { context }: RunningService): Promise<Overrides> {
  return (await overridesFor({ ...work, store: work.deps.store }))[context.service] ?? {}
}

function member({ unit }: UnitWork) {
  return { component: unit.component, machine: unit.machine }
}
