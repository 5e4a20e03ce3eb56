import type { DeploymentRecord } from '../db/store.ts'
import type { Challenge } from '../model/certificate.ts'
import { KitbagError } from '../model/errors.ts'
import { tryMachineAccess } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ToolkitService } from '../toolkit/contract.ts'
import type { ActivityDeps } from './deps.ts'
import { submitPush, untilEnded } from './push.ts'

/** Milliseconds until every node of a service has to show what it was told. */
const longestPush = 60_000

interface Showing {
  deps: ActivityDeps
  deployment: DeploymentRecord
  services: { name: string; spec: unknown; toolkit: ToolkitService }[]
  signal: AbortSignal
}

/**
 * Has the deployment's services show the challenges of one certificate, beside those of others, and none that it had before; returns when
 * they are in force. Throws `service-failed` where no service can show one.
 */
export async function showChallenges(
  deps: ActivityDeps,
  { deployment, release, signal }: { deployment: DeploymentRecord; release: ReleaseSpec; signal: AbortSignal },
  certificate: string,
  challenges: Challenge[],
): Promise<void> {
  const { certificates } = deps.store
  const services = release.blueprint.services.flatMap(({ name, kind, spec }) => {
    const toolkit = deps.toolkit[kind]
    return toolkit ? [{ name, spec, toolkit }] : []
  })
  const showing = { deps, deployment, services, signal }
  const answering = await servicesFor(showing, challenges)
  const before = (await certificates.get(certificate))?.challenges ?? []
  await certificates.update(certificate, { challenges })
  if ([...before, ...challenges].some(({ type }) => type === 'http-01')) await answerHttp(showing)
  const changed = await storeRecords(showing)
  const pushes = [...new Set([...changed, ...answering])].map(async (service) => {
    const operation = await submitPush(deps, deployment, service)
    // That they are taken away is not waited for: nobody looks any more.
    if (challenges.length === 0) return
    const ended = await untilEnded(deps, operation, { timeout: longestPush, signal })
    if (ended?.status === 'succeeded') return
    const why = ended?.error?.message ?? `it is not done after ${longestPush / 1000} s`
    throw new KitbagError('service-failed', `${service} does not show what the authority asked for: ${why}`, {
      retryable: true,
    })
  })
  await Promise.all(pushes)
}

/** Services whose records answer the challenges. Throws where there is none for one, of either type. */
async function servicesFor({ deps, deployment, services }: Showing, challenges: Challenge[]): Promise<Set<string>> {
  const overrides = await deps.store.overrides.list(deployment.id)
  const found = new Set<string>()
  for (const { type, host } of challenges) {
    const able = services.filter(({ name, spec, toolkit }) =>
      type === 'http-01'
        ? toolkit.control.challenges !== undefined
        : toolkit.challenges?.covers({ spec, overrides: overrides[name] ?? {} }, host),
    )
    if (able.length === 0)
      throw new KitbagError('service-failed', `${host}: no service of the deployment can answer ${type} for it`, {
        fix:
          type === 'dns-01'
            ? 'Give the deployment a `dns` service with a zone that holds it, and that zone no `_acme-challenge` record by the API.'
            : 'Give the deployment a load balancer with a listener on port 80, which the name leads to.',
      })
    if (type === 'dns-01') for (const { name } of able) found.add(name)
  }
  return found
}

async function challengesOf({ deps, deployment }: Showing, type: Challenge['type']): Promise<Challenge[]> {
  const rows = await deps.store.certificates.list(deployment.id)
  return rows.flatMap(({ challenges }) => challenges).filter((challenge) => challenge.type === type)
}

/** Once more as long as others changed meanwhile: of two that do it at once one may have read before the other wrote. */
async function answerHttp(showing: Showing): Promise<void> {
  const { deps, deployment, services } = showing
  const { reach, store } = deps
  const rows = await store.machines.list(deployment.id)
  for (let last: string | undefined; ; ) {
    const all = await challengesOf(showing, 'http-01')
    const text = JSON.stringify(all)
    if (text === last) return
    last = text
    const answers = new Map(all.map(({ token, value }) => [token, value]))
    for (const { name, toolkit } of services) {
      const own = rows.filter(({ component, releaseNumber }) => component === name && releaseNumber !== null)
      const machines = own.flatMap((row) => tryMachineAccess(row) ?? [])
      if (machines.length > 0) await toolkit.control.challenges?.({ reach, machines }, answers)
    }
  }
}

/** Stores what every service's records show of all certificates; gives the services that this changed. */
async function storeRecords(showing: Showing): Promise<Set<string>> {
  const { deps, deployment, services } = showing
  const { overrides } = deps.store
  const changed = new Set<string>()
  // Once more after each change: of two that did it at once one may have stored what it had read before.
  for (let again = true; again; ) {
    again = false
    const active = await challengesOf(showing, 'dns-01')
    const stored = await overrides.list(deployment.id)
    for (const { name, spec, toolkit } of services) {
      const input = { spec, overrides: stored[name] ?? {} }
      const own = active.filter(({ host }) => toolkit.challenges?.covers(input, host))
      const changes = toolkit.challenges?.overrides(input, own) ?? {}
      if (Object.keys(changes).length === 0) continue
      await overrides.set(deployment.id, name, changes)
      changed.add(name)
      again = true
    }
  }
  return changed
}
