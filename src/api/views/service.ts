import type { DeploymentRecord } from '../../db/store.ts'
import type { ResolvedService } from '../../model/blueprint.ts'
import { KitbagError } from '../../model/errors.ts'
import { preferredAddress } from '../../model/machine.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import type { ReadContext } from '../../toolkit/contract.ts'
import type { ApiDeps } from '../deps.ts'
import { accessTo } from './access.ts'
import { factsOf } from './facts.ts'

/** A toolkit service of the release in force. */
export interface FoundService {
  service: ResolvedService
  release: ReleaseRecord
}

/** Throws `conflict` for a deployment without a release in force. */
export async function servicesOf({ store }: ApiDeps, deployment: DeploymentRecord, kind: string) {
  const release =
    deployment.currentRelease === null ? undefined : await store.releases.get(deployment.id, deployment.currentRelease)
  if (!release)
    throw new KitbagError('conflict', `${deployment.name} has no release in force`, { fix: 'Deploy it first.' })
  return { release, services: release.spec.blueprint.services.filter((candidate) => candidate.kind === kind) }
}

/** Throws `not-found`, naming the services there are. */
export async function findService(
  deps: ApiDeps,
  deployment: DeploymentRecord,
  kind: string,
  name: string,
): Promise<FoundService> {
  const { release, services } = await servicesOf(deps, deployment, kind)
  const service = services.find((candidate) => candidate.name === name)
  if (service) return { service, release }
  const known = services.map((candidate) => candidate.name).join(', ') || 'none'
  throw new KitbagError('not-found', `${deployment.name} has no ${kind} ${name}; it has: ${known}`)
}

/** What reads and acts of a service get. */
export async function readContext(
  deps: ApiDeps,
  deployment: DeploymentRecord,
  { service, release }: FoundService,
): Promise<ReadContext<unknown>> {
  const { store, reach } = deps
  const all = await store.machines.list(deployment.id)
  const machines = accessTo(
    all.filter(
      ({ component, releaseNumber, status }) =>
        component === service.name && releaseNumber !== null && status !== 'lost',
    ),
  )
  const facts = async () => {
    const overrides = await store.overrides.list(deployment.id)
    return (await factsOf(deps, deployment, release, all, overrides)).facts
  }
  const { id, tenantId, name } = deployment
  return {
    service: service.name,
    spec: service.spec,
    reach,
    machines,
    unsettled: new Set<string>(),
    parameters: async () => (await facts()).parameters(service.name),
    outside: async () => (await facts()).outside(service.name),
    watch: {
      state: () => store.watches.state(deployment.id, service.name),
      decisions: (limit: number) => store.watches.decisions(deployment.id, service.name, { limit }),
    },
    made: { deployment: { id, tenantId, name }, certificates: store.certificates },
  }
}

/** A service for the API: its section and its machines. */
export async function presentService(deps: ApiDeps, { id }: DeploymentRecord, { service, release }: FoundService) {
  const rows = await deps.store.machines.list(id)
  return {
    name: service.name,
    kind: service.kind,
    release: release.number,
    section: service.spec,
    machines: rows
      .filter(({ component }) => component === service.name)
      .map(({ name, addresses, status }) => ({ name, address: preferredAddress(addresses)?.address ?? null, status })),
  }
}
