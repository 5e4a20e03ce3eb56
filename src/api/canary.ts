import type { DeploymentRecord } from '../db/store.ts'
import type { Canary, StoredCanary } from '../model/canary.ts'
import { KitbagError } from '../model/errors.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { canaryIn, secondCanary } from '../planner/canary.ts'
import { expand } from '../planner/expand.ts'
import type { ApiDeps } from './deps.ts'

/** The canary in force. Throws `conflict` when there is none. */
export async function theCanary({ store }: ApiDeps, { id, name }: DeploymentRecord): Promise<StoredCanary> {
  const found = canaryIn(await store.overrides.list(id))
  if (found) return found
  throw new KitbagError('conflict', `${name} has no canary`, {
    fix: 'Begin one: kitbag deploy --canary COMPONENT=PERCENT',
  })
}

/**
 * Which machines of the component shall have a release for a share of its traffic: the part of them that fits, one at least, the first
 * ones. Throws `conflict` or `invalid-request` where there can be none.
 */
export async function canaryFor(
  { store, toolkit }: ApiDeps,
  { id, name, currentRelease }: DeploymentRecord,
  release: ReleaseSpec,
  { component, share }: { component: string; share: number },
): Promise<Canary> {
  const stored = await store.overrides.list(id)
  const before = canaryIn(stored)
  if (before) throw secondCanary(before)
  if (currentRelease === null)
    throw new KitbagError('conflict', `${name} has no release in force beside which another could be tried`)
  const known = release.blueprint.components.map((one) => one.name)
  if (!known.includes(component))
    throw new KitbagError('not-found', `there is no component ${component}; known: ${known.join(', ')}`)
  const carriers = expand(release, toolkit, stored).services.filter(({ members }) => members.includes(component))
  const overrides = (machines: string[], chosen: string[]) =>
    Object.fromEntries(
      carriers.flatMap(({ name: service, kind, spec }) => {
        const fields = toolkit[kind]?.share?.({ spec, component, machines, chosen, share })
        return fields ? [[service, fields]] : []
      }),
    )
  if (Object.keys(overrides([], [])).length < Math.max(1, carriers.length))
    throw new KitbagError(
      'invalid-request',
      `no load balancer carries the traffic of ${component}: there is no share to give`,
    )
  const machines = (await store.machines.list(id))
    .filter((row) => row.component === component && row.status === 'ready')
    .sort((a, b) => a.ordinal - b.ordinal)
    .map((row) => row.name)
  if (machines.length < 2)
    throw new KitbagError(
      'conflict',
      `${component} has ${machines.length} healthy machines: a canary takes two or more`,
    )
  const count = Math.min(machines.length - 1, Math.max(1, Math.floor((machines.length * share) / 100)))
  const chosen = machines.slice(0, count)
  return { component, share, machines: chosen, overrides: overrides(machines, chosen) }
}
