import { retry } from '../lib/retry.ts'
import type { ErrorRecord } from '../model/errors.ts'
import { type ActivityDeps, retryPauses } from './deps.ts'
import { isStoreAway, redactedRecord, repeatedFailure } from './failures.ts'
import { heartbeating } from './heartbeat.ts'
import { belongs } from './sweep-clouds.ts'

/** As often as a destroy is tried. */
const attempts = 8

/**
 * After an undo: what the clouds still have under this deployment's tag without a row is destroyed, and rows whose machine is gone
 * are brought in line. Returns what could not be done.
 */
export function sweepDeployment(deps: ActivityDeps, operationId: string): Promise<ErrorRecord[]> {
  return heartbeating(async (signal) => {
    const operation = await deps.store.operations.get(operationId)
    if (!operation) return []
    const clouds = await cloudsOf(deps, operationId, operation.deploymentId)
    const problems: ErrorRecord[] = []
    for (const cloudId of clouds) {
      try {
        const attempt = () => sweepCloud(deps, cloudId, operation.deploymentId)
        await retry(attempt, { attempts, delay: retryPauses(deps.timings), signal })
      } catch (error) {
        if (signal.aborted || isStoreAway(error)) throw repeatedFailure('the sweep was interrupted', error)
        problems.push(redactedRecord(error, []))
      }
    }
    return problems
  })
}

async function cloudsOf({ store }: ActivityDeps, operationId: string, deploymentId: string): Promise<Set<string>> {
  const machines = await store.machines.list(deploymentId)
  const plan = await store.operations.plan(operationId, 'main')
  const created = plan?.units.flatMap(({ create }) => (create ? [create.cloud] : [])) ?? []
  return new Set([...machines.map(({ cloudId }) => cloudId), ...created])
}

async function sweepCloud({ store, clouds, reach }: ActivityDeps, cloudId: string, deployment: string): Promise<void> {
  const { id: installation } = await store.installation.get()
  const provider = await clouds.provider(cloudId)
  const made = (await provider.listMachines({ tags: { installation, deployment } })).filter(
    ({ status }) => status !== 'gone',
  )
  const rows = (await store.machines.list(deployment)).filter((row) => row.cloudId === cloudId)
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const { id, tags, imported } of made) {
    if (!belongs(id, byId.get(tags.machine))) await (imported ? provider.letGo(id) : provider.destroyMachine(id))
  }
  const alive = new Set(made.map(({ tags }) => tags.machine))
  for (const row of rows) {
    if (alive.has(row.id) || (row.providerId && (await provider.getMachine(row.providerId)))) continue
    reach.forget(row.id)
    // A machine of the release in force that died is replaced by the next change; one that was on its way needs no row.
    if (row.releaseNumber !== null) await store.machines.update(row.id, { status: 'lost' })
    else await store.machines.remove(row.id)
  }
}
