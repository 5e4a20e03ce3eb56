import type { ResolvedService } from '../model/blueprint.ts'
import type { OperationRecord } from '../model/operation.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ActivityDeps } from './deps.ts'
import { releaseOf } from './release-of.ts'
import { watchContext } from './watch/context.ts'
import { createGlances } from './watch/glance.ts'

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
  const { release, services } = await caretakers(deps, deploymentId)
  const glance = services.length > 0 ? await createGlances(deps, deploymentId, services).now() : undefined
  if (!glance || !release) return []
  const found = services.map(async (service) => {
    const state = await deps.store.watches.state(deploymentId, service.name)
    const submitted = async () => undefined
    const context = watchContext({ deps, release, service, glance, state, memo: {}, signal, submitted })
    return (await deps.toolkit[service.kind]?.watch?.dead?.(context)) ?? []
  })
  return (await Promise.all(found)).flat()
}

/** Whether a service of the release in force brings machines level that were away when something was changed. */
export async function isLookedAfter(deps: ActivityDeps, deploymentId: string): Promise<boolean> {
  return (await caretakers(deps, deploymentId)).services.length > 0
}

/** Services that know which machines are dead. */
async function caretakers(
  { store, toolkit }: ActivityDeps,
  deploymentId: string,
): Promise<{ release?: ReleaseSpec; services: ResolvedService[] }> {
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return { services: [] }
  const { spec: release } = await releaseOf(store, deploymentId, deployment.currentRelease)
  return { release, services: release.blueprint.services.filter(({ kind }) => toolkit[kind]?.watch?.dead) }
}
