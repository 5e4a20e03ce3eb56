import type { OperationRecord } from '../model/operation.ts'
import type { ActivityDeps } from './deps.ts'
import { releaseOf } from './release-of.ts'
import { watchContext } from './watch/context.ts'

/**
 * Machines that a service of the release in force has found dead, before a change is planned: it replaces them with the rest. Empty where
 * no service looks after machines.
 */
export async function deadMachines(
  deps: ActivityDeps,
  { deploymentId, kind }: OperationRecord,
  signal: AbortSignal,
): Promise<string[]> {
  if (kind !== 'deploy' && kind !== 'rollback' && kind !== 'scale') return []
  const { store, toolkit } = deps
  const glance = await store.watches.glance(deploymentId)
  if (!glance || glance.currentRelease === null) return []
  const { spec: release } = await releaseOf(store, deploymentId, glance.currentRelease)
  const found: string[] = []
  for (const service of release.blueprint.services) {
    const dead = toolkit[service.kind]?.watch?.dead
    if (!dead) continue
    const [machines, overrides, state] = await Promise.all([
      store.machines.list(deploymentId),
      store.overrides.list(deploymentId),
      store.watches.state(deploymentId, service.name),
    ])
    const context = watchContext({
      deps,
      release,
      service,
      glance: { ...glance, machines, overrides },
      state,
      memo: {},
      signal,
      submitted: async () => undefined,
    })
    found.push(...(await dead(context)))
  }
  return found
}

/** Whether a service of the release in force brings machines level that were away when something was changed. */
export async function isLookedAfter({ store, toolkit }: ActivityDeps, deploymentId: string): Promise<boolean> {
  const glance = await store.watches.glance(deploymentId)
  if (!glance || glance.currentRelease === null) return false
  const { spec } = await releaseOf(store, deploymentId, glance.currentRelease)
  return spec.blueprint.services.some(({ kind }) => toolkit[kind]?.watch?.dead !== undefined)
}
