import type { Store } from '../../src/db/store.ts'
import type { OperationKind, OperationRecord } from '../../src/model/operation.ts'
import type { Plan, Unit } from '../../src/model/plan.ts'
import type { ReleaseSpec } from '../../src/model/release.ts'

/** A release that asks for nothing; `note` tells two apart. */
export function emptyRelease(note = ''): ReleaseSpec {
  return {
    blueprint: {
      apiVersion: 'kitbag/v1',
      name: 'guestbook',
      parameters: { note },
      secrets: [],
      components: [],
      services: [],
      placement: {},
    },
    text: `# ${note}`,
    sources: {},
    recipes: {},
    secretVersions: {},
  }
}

/** A cloud and a deployment on it. */
export async function addDeployment(store: Store, tenantId: string, name: string) {
  const find = () => store.clouds.getByName(tenantId, 'home')
  const home = { name: 'home', provider: 'fake', settings: { region: 'north' }, credentials: {} }
  const cloud = (await find()) ?? (await store.clouds.create(tenantId, home).catch(find))
  if (!cloud) throw new Error('no cloud')
  return store.deployments.ensure(tenantId, name, cloud.id)
}

export async function submit(
  store: Store,
  { id, name, tenantId }: { id: string; name: string; tenantId: string },
  kind: OperationKind = 'deploy',
  more: { idempotencyKey?: string; onConflict?: 'wait' | 'refuse'; release?: number } = {},
): Promise<{ operation: OperationRecord; existing: boolean }> {
  const { release = 1, ...rest } = more
  return store.operations.submit({ tenantId, deploymentId: id, deployment: name, kind, request: { release }, ...rest })
}

export function planOf(deployment: string, units: Pick<Unit, 'id' | 'kind' | 'needs'>[]): Plan {
  return {
    version: 1,
    deployment,
    release: 1,
    units: units.map((unit) => ({ ...unit, component: 'web', machine: 'web-1', reason: 'new' })),
    changes: [],
    refusals: [],
    digest: 'd'.repeat(64),
  }
}

export const machineSpec = { size: 's', image: 'i', requirements: { cpu: 1, memory: 2 ** 29, image: 'debian-13' } }
