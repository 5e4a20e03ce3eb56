import type { DeploymentRecord } from '../../db/store.ts'
import type { ResolvedService } from '../../model/blueprint.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import type { ReadContext } from '../../toolkit/contract.ts'
import type { ApiDeps } from '../deps.ts'
import { accessTo } from './access.ts'
import { factsOf } from './facts.ts'

/** What a read of a service's running side gets: its machines as they are now, and its own rows. */
export async function serviceContext(
  deps: ApiDeps,
  deployment: DeploymentRecord,
  { service, release }: { service: ResolvedService; release: ReleaseRecord },
): Promise<ReadContext<unknown>> {
  const { store, reach } = deps
  const all = await store.machines.list(deployment.id)
  const machines = accessTo(
    all.filter(
      ({ component, releaseNumber, status }) =>
        component === service.name && releaseNumber !== null && status !== 'lost',
    ),
  )
  const parameters = async () => {
    const overrides = await store.overrides.list(deployment.id)
    return (await factsOf(deps, deployment, release, all, overrides)).facts.parameters(service.name)
  }
  const { id, tenantId, name } = deployment
  return {
    service: service.name,
    spec: service.spec,
    reach,
    machines,
    unsettled: new Set<string>(),
    parameters,
    watch: {
      state: () => store.watches.state(deployment.id, service.name),
      decisions: (limit: number) => store.watches.decisions(deployment.id, service.name, { limit }),
    },
    made: { deployment: { id, tenantId, name }, certificates: store.certificates },
  }
}
