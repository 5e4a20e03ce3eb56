import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { World } from '../planner/digests.ts'
import { expand } from '../planner/expand.ts'
import { sshSources } from '../planner/load.ts'
import { anySpeaksTls, certificateWords } from '../planner/tls.ts'
import { valueVersions } from '../planner/values.ts'
import { overridesFor } from './overrides-for.ts'
import { releaseNumberFor } from './release-number-for.ts'
import { releaseOf } from './release-of.ts'
import type { UnitWork } from './unit-work.ts'
import { valueSource } from './value-source.ts'

/** Everything that the unit's machine is rendered from, as it is at this moment. */
export async function worldOf(work: UnitWork): Promise<World & { number: number }> {
  const number = await releaseNumberFor(work)
  return { ...(await worldOfRelease(work, number)), number }
}

async function worldOfRelease(work: UnitWork, number: number): Promise<World> {
  const { deps, deployment, unit } = work
  const { spec: release } = await releaseOf(deps.store, deployment.id, number)
  const overrides = await overridesFor({ ...work, store: deps.store })
  const { components } = expand(release, deps.toolkit, overrides)
  const rows = await deps.store.machines.list(deployment.id)
  const machines = rows.filter(({ name }) => !unit.without?.includes(name))
  const values = await valueVersions(valueSource(deps, deployment), release)
  const sshFrom = sshSources(await deps.store.clouds.list(deployment.tenantId))
  const certificates = certificateWords(
    anySpeaksTls(release) ? await deps.store.serverCertificates.list(deployment.id) : [],
    rows,
    new Date(),
  )
  const also = unit.also && { also: unit.also }
  return { release, components, overrides, machines, values, certificates, present: rows, ...also, sshFrom }
}

/** The unit's component as the plan's release has it, else as the release in force has it: what is removed still drains by its own rules. */
export async function componentOf(work: UnitWork): Promise<ResolvedComponent> {
  const { deps, deployment, plan, unit } = work
  const overrides = await overridesFor({ ...work, store: deps.store })
  for (const number of [plan.release, deployment.currentRelease]) {
    if (number === undefined || number === null) continue
    const { spec } = await releaseOf(deps.store, deployment.id, number)
    const found = expand(spec, deps.toolkit, overrides).components.find(({ name }) => name === unit.component)
    if (found) return found
  }
  throw new KitbagError('internal', `${unit.id}: no release at hand has a component ${unit.component}`)
}
