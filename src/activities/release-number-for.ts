import { KitbagError } from '../model/errors.ts'
import type { UnitStage } from '../model/operation.ts'
import { canaryIn } from '../planner/canary.ts'
import type { UnitWork } from './unit-work.ts'

/**
 * The release that the unit's machine is to be. The plan's; but a push, which runs beside other operations, takes the one that a
 * running operation has brought to this machine already: it must not put the old one back. A check looks for the one on trial where it is.
 */
export async function releaseNumberFor(work: UnitWork): Promise<number> {
  const { deps, operation, plan, deployment, unit } = work
  if (operation.kind === 'check') {
    const canary = canaryIn(await deps.store.overrides.list(deployment.id))
    if (canary?.machines.includes(unit.machine)) return canary.release
  }
  const own = plan.release ?? deployment.currentRelease
  const number = operation.kind === 'push' ? ((await overtakenBy(work)) ?? own) : own
  if (number !== null) return number
  throw new KitbagError('internal', `${unit.id}: no release is in force`, { machine: unit.machine })
}

async function overtakenBy({ deps, deployment, unit }: UnitWork): Promise<number | undefined> {
  const { operations } = deps.store
  const running = await operations.running()
  const other = running.find(({ deploymentId, kind }) => deploymentId === deployment.id && kind !== 'push')
  if (!other) return undefined
  const units = await operations.units(other.id)
  const stages: UnitStage[] = ['undo', 'main']
  for (const stage of stages) {
    const plan = await operations.plan(other.id, stage)
    // One of the firewall alone leaves everything else as it was.
    const isAbout = (only: string | undefined) => only === undefined || unit.only !== undefined
    const configures = plan?.units.filter(
      ({ kind, machine, only }) => kind === 'configure' && machine === unit.machine && isAbout(only),
    )
    const reached = units.some(
      ({ id, stage: at, status }) =>
        at === stage && status !== 'pending' && status !== 'skipped' && configures?.some((one) => one.id === id),
    )
    if (reached) return plan?.release
  }
  return undefined
}
