import type { DeploymentRecord } from '../db/store.ts'
import { digestOf } from '../lib/digest.ts'
import { retry } from '../lib/retry.ts'
import type { ErrorRecord } from '../model/errors.ts'
import { endsDeployment, type OperationRecord } from '../model/operation.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { type CloudFirewalls, cloudFirewalls } from '../planner/cloud-firewall.ts'
import { expand } from '../planner/expand.ts'
import { sshSources } from '../planner/load.ts'
import { type ActivityDeps, retryPauses } from './deps.ts'
import { isStoreAway, redactedRecord } from './failures.ts'
import { releaseOf } from './release-of.ts'

/** `deployment cloud` -> digest of what this process told it last, so that it is not told the same again. */
const told = new Map<string, string>()
const mostTold = 10_000

/**
 * Before anything is changed: the clouds' own firewalls let in what the release in force and the one to come need. Throws what a cloud
 * refuses; nothing was touched then.
 */
export async function openClouds(
  deps: ActivityDeps,
  operation: OperationRecord,
  planned: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const deployment = await deps.store.deployments.get(operation.deploymentId)
  if (!deployment || planned === undefined) return
  const attempt = () => secure(deps, deployment, [deployment.currentRelease, planned])
  await retry(attempt, { attempts, delay: retryPauses(deps.timings), signal })
}

/** As often as a create is tried. */
const attempts = 6

/**
 * At an operation's end: what only the former release needed is closed, and clouds where no machine is left have nothing left of the
 * deployment. What a cloud refuses is told, given back, and done with the next operation.
 */
export async function settleClouds(
  deps: ActivityDeps,
  operation: OperationRecord,
  signal: AbortSignal,
): Promise<ErrorRecord | undefined> {
  const { store } = deps
  const { kind, deploymentId } = operation
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || kind === 'check' || kind === 'push') return undefined
  const attempt = async () => {
    const inForce = endsDeployment(operation) ? null : deployment.currentRelease
    if (inForce !== null) await secure(deps, deployment, [inForce])
    await releaseEmpty(deps, operation, deployment)
  }
  try {
    await retry(attempt, { attempts, delay: retryPauses(deps.timings), signal })
    return undefined
  } catch (error) {
    if (signal.aborted || isStoreAway(error)) throw error
    const message = `firewalls, networks or addresses of ${deployment.name} at its clouds are not in line: ${(error as Error).message}`
    await store.operations.appendEvents(operation.id, [{ type: 'log', data: { level: 'warn', message } }])
    return redactedRecord(error, [])
  }
}

async function firewallsFor(
  deps: ActivityDeps,
  deployment: DeploymentRecord,
  numbers: (number | null)[],
): Promise<CloudFirewalls> {
  const { store, toolkit } = deps
  const wanted = [...new Set(numbers)].filter((number) => number !== null)
  const releases: ReleaseSpec[] = []
  for (const number of wanted) releases.push((await releaseOf(store, deployment.id, number)).spec)
  const clouds = await store.clouds.list(deployment.tenantId)
  return cloudFirewalls(releases, {
    toolkit,
    overrides: await store.overrides.list(deployment.id),
    machines: await store.machines.list(deployment.id),
    clouds: Object.fromEntries(clouds.map(({ name, id }) => [name, id])),
    cloudId: deployment.cloudId,
    sshFrom: sshSources(clouds),
  })
}

async function secure(deps: ActivityDeps, deployment: DeploymentRecord, releases: (number | null)[]): Promise<void> {
  const { id: installation } = await deps.store.installation.get()
  const owner = { installation, deployment: deployment.id }
  const rows = await deps.store.machines.list(deployment.id)
  for (const [cloudId, firewall] of await firewallsFor(deps, deployment, releases)) {
    const provider = await deps.clouds.provider(cloudId)
    if (!provider.secure) continue
    const key = `${deployment.id} ${cloudId}`
    const digest = digestOf(firewall as never)
    // Where it has no machine, what was told may have been removed since.
    if (told.get(key) === digest && rows.some((row) => row.cloudId === cloudId)) continue
    told.delete(key)
    await provider.secure(owner, firewall)
    told.set(key, digest)
    const oldest = told.keys().next().value
    if (told.size > mostTold && oldest !== undefined) told.delete(oldest)
  }
}

/** A cloud may still have groups and networks of a deployment whose last machine there is gone. */
async function releaseEmpty(
  deps: ActivityDeps,
  operation: OperationRecord,
  deployment: DeploymentRecord,
): Promise<void> {
  const { id: installation } = await deps.store.installation.get()
  const plan = await deps.store.operations.plan(operation.id, 'main')
  // Without a plan it was refused while the clouds were opened for it.
  const release = plan?.release ?? operation.request.release ?? null
  const touched = await firewallsFor(deps, deployment, [deployment.currentRelease, release])
  const used = new Set((await deps.store.machines.list(deployment.id)).map(({ cloudId }) => cloudId))
  for (const cloudId of new Set([...touched.keys(), ...(deployment.cloudId === null ? [] : [deployment.cloudId])])) {
    if (used.has(cloudId)) continue
    const provider = await deps.clouds.provider(cloudId)
    told.delete(`${deployment.id} ${cloudId}`)
    await provider.release?.({ installation, deployment: deployment.id })
  }
}

/** A machine at another cloud is known there by its address, which it has only now. */
export async function openAcrossClouds(
  deps: ActivityDeps,
  deployment: DeploymentRecord,
  planned: number | undefined,
): Promise<void> {
  const numbers = [deployment.currentRelease, planned ?? null].filter((number) => number !== null)
  const releases = await Promise.all(numbers.map((number) => releaseOf(deps.store, deployment.id, number)))
  const clouds = releases.flatMap(({ spec }) =>
    expand(spec, deps.toolkit, {}).components.map(({ placement }) => placement.cloud),
  )
  if (new Set(clouds).size > 1) await secure(deps, deployment, [deployment.currentRelease, planned ?? null])
}
