import type { DeploymentRecord } from '../db/store.ts'
import type { Challenge } from '../model/certificate.ts'
import { KitbagError } from '../model/errors.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ChallengeSolver, Overrides } from '../toolkit/contract.ts'
import type { ActivityDeps } from './deps.ts'
import { submitPush, untilEnded } from './push.ts'

/** Milliseconds until every node of a service has to show what it was told. */
const longestPush = 60_000

interface Solver {
  service: string
  spec: unknown
  solver: ChallengeSolver
}

type AllOverrides = Record<string, Overrides>

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
  const { store } = deps
  const solvers = solversOf(deps, release)
  const overrides = await store.overrides.list(deployment.id)
  for (const challenge of challenges) refuseUnsolvable(solvers, overrides, challenge)
  await store.certificates.update(certificate, { challenges })
  const changed = await storeChallenges(deps, deployment, solvers)
  const showing = solvers.filter((one) => challenges.some((challenge) => shows(one, overrides, challenge)))
  const services = new Set([...changed, ...showing.map(({ service }) => service)])
  const pushes = [...services].map(async (service) => {
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

function solversOf({ toolkit }: ActivityDeps, { blueprint }: ReleaseSpec): Solver[] {
  return blueprint.services.flatMap(({ name: service, kind, spec }) => {
    const solver = toolkit[kind]?.challenges
    return solver ? [{ service, spec, solver }] : []
  })
}

function shows({ service, spec, solver }: Solver, overrides: AllOverrides, { type, host }: Challenge): boolean {
  return solver.type === type && solver.covers({ spec, overrides: overrides[service] ?? {} }, host)
}

function refuseUnsolvable(solvers: Solver[], overrides: AllOverrides, challenge: Challenge): void {
  if (solvers.some((one) => shows(one, overrides, challenge))) return
  const { type, host } = challenge
  throw new KitbagError('service-failed', `${host}: no service of the deployment can answer ${type} for it`, {
    fix:
      type === 'dns-01'
        ? 'Give the deployment a `dns` service with a zone that holds it, and have the parent zone delegate to it.'
        : 'Give the deployment a load balancer with a listener on port 80 that the name leads to.',
  })
}

/** Stores what every service shows of all certificates; gives the services that this changed. Several may do it at once. */
async function storeChallenges(
  { store }: ActivityDeps,
  { id }: DeploymentRecord,
  solvers: Solver[],
): Promise<Set<string>> {
  const changed = new Set<string>()
  // Once more after each change: of two that did it at once one may have stored what it had read before.
  for (let again = true; again; ) {
    again = false
    const active = (await store.certificates.list(id)).flatMap(({ challenges }) => challenges)
    const all = await store.overrides.list(id)
    for (const one of solvers) {
      const { service, spec, solver } = one
      const own = active.filter((challenge) => shows(one, all, challenge))
      const changes = solver.overrides({ spec, overrides: all[service] ?? {} }, own)
      if (Object.keys(changes).length === 0) continue
      await store.overrides.set(id, service, changes)
      changed.add(service)
      again = true
    }
  }
  return changed
}
