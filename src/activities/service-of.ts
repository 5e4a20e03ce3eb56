import { KitbagError } from '../model/errors.ts'
import { tryMachineAccess } from '../model/machine.ts'
import type { ControlContext, ToolkitService } from '../toolkit/contract.ts'
import { releaseOf } from './release-of.ts'
import type { UnitWork } from './unit-work.ts'
import { componentOf } from './world-of.ts'

export interface RunningService {
  toolkit: ToolkitService
  context: ControlContext<unknown>
}

/** The service whose own machine the unit is about; undefined: it is the application's. */
export async function ownService(work: UnitWork): Promise<RunningService | undefined> {
  const { service } = await componentOf(work)
  return service === undefined ? undefined : serviceNamed(work, work.unit.component)
}

/**
 * The toolkit service that a unit names, with the machines that it has now. In the plan's release, else in the one in force: a service
 * that this operation removes is still left. undefined: in neither.
 */
export async function serviceNamed(work: UnitWork, name: string): Promise<RunningService | undefined> {
  const { deps, deployment, plan, signal } = work
  for (const number of [plan.release, deployment.currentRelease]) {
    if (number === undefined || number === null) continue
    const { spec } = await releaseOf(deps.store, deployment.id, number)
    const service = spec.blueprint.services.find((candidate) => candidate.name === name)
    if (!service) continue
    const toolkit = deps.toolkit[service.kind]
    if (!toolkit) throw new KitbagError('not-supported', `${name}: this Kitbag has no toolkit service ${service.kind}`)
    const rows = await deps.store.machines.list(deployment.id)
    const machines = rows
      .filter((row) => row.component === name && row.releaseNumber !== null && row.status !== 'lost')
      .flatMap((row) => tryMachineAccess(row) ?? [])
    const unsettled = new Set(rows.filter(({ status }) => status !== 'ready').map((row) => row.name))
    return { toolkit, context: { service: name, spec: service.spec, reach: deps.reach, machines, unsettled, signal } }
  }
  return undefined
}
