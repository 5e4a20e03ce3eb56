import type { DeploymentRecord } from '../../db/store.ts'
import { type MachineRecord, preferredAddress } from '../../model/machine.ts'
import { isFinal, type OperationRecord } from '../../model/operation.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import { canaryIn } from '../../planner/canary.ts'
import { deploymentCosts } from '../../planner/costs.ts'
import type { ApiDeps } from '../deps.ts'
import type { Deployment, DeploymentStatus, DeploymentSummary, Machine } from '../schemas/deployment.ts'
import { factsOf } from './facts.ts'

async function lastOperation(
  { store }: ApiDeps,
  { tenantId, name }: DeploymentRecord,
): Promise<OperationRecord | undefined> {
  const recent = await store.operations.list(tenantId, { deployment: name }, { limit: 10 })
  return recent.find(({ kind }) => kind !== 'push') ?? recent[0]
}

function statusOf(
  { currentRelease }: DeploymentRecord,
  machines: MachineRecord[],
  last: OperationRecord | undefined,
): DeploymentStatus {
  if (last && !isFinal(last.status)) return last.kind === 'destroy' ? 'destroying' : 'deploying'
  if (last?.status === 'failed' && last.kind !== 'check' && last.kind !== 'import') return 'failed'
  if (machines.some(({ drifted }) => drifted)) return 'drifted'
  return currentRelease === null && machines.every(({ status }) => status === 'imported') ? 'empty' : 'live'
}

const brief = (last: OperationRecord | undefined) =>
  last ? { id: last.id, kind: last.kind, status: last.status } : null

export async function summarize(deps: ApiDeps, record: DeploymentRecord): Promise<DeploymentSummary> {
  const machines = await deps.store.machines.list(record.id)
  const last = await lastOperation(deps, record)
  const { name, cloud, currentRelease, createdAt } = record
  return {
    name,
    cloud,
    status: statusOf(record, machines, last),
    release: currentRelease,
    machines: machines.filter(({ hostId }) => hostId === undefined).length,
    operation: brief(last),
    createdAt: createdAt.toISOString(),
  }
}

function presentMachine(row: MachineRecord, all: MachineRecord[]): Machine {
  const {
    name,
    component,
    hostId,
    status,
    addresses,
    user,
    hostKey,
    spec,
    stateful,
    imported,
    drifted,
    releaseNumber,
  } = row
  const on = hostId === undefined ? undefined : all.find(({ id }) => id === hostId)?.name
  const address = preferredAddress(addresses)?.address ?? null
  return {
    name,
    component,
    ...(on !== undefined && { on }),
    status,
    address,
    addresses,
    user,
    hostKey,
    size: spec.size,
    image: spec.image,
    stateful,
    imported: imported === true,
    drifted,
    release: releaseNumber,
  }
}

/** A deployment with its machines and what its components give to others; secrets are blanked out. */
export async function describe(deps: ApiDeps, record: DeploymentRecord): Promise<Deployment> {
  const { store } = deps
  const machines = await store.machines.list(record.id)
  const last = await lastOperation(deps, record)
  const release =
    record.currentRelease === null ? undefined : await store.releases.get(record.id, record.currentRelease)
  const overrides = await store.overrides.list(record.id)
  const components = release ? await componentsOf(deps, record, release, machines, overrides) : []
  const services = release?.spec.blueprint.services.map(({ name, kind }) => ({ name, kind })) ?? []
  const front =
    components.find(({ service }) => service === 'loadBalancer')?.outputs ??
    components.find(({ outputs }) => String(outputs.url).startsWith('http'))?.outputs
  const scale = Object.entries(overrides.scale ?? {}).map(([name, value]) => [name, Number(value.replicas)] as const)
  const { name, cloud, currentRelease, createdAt } = record
  return {
    name,
    cloud,
    status: statusOf(record, machines, last),
    release: currentRelease,
    ...(typeof front?.url === 'string' && { url: front.url }),
    machines: machines
      .map((row) => presentMachine(row, machines))
      .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    components,
    services,
    scale: Object.fromEntries(scale),
    canary: presentCanary(overrides),
    costs: deploymentCosts(machines, await deps.costs(machines.map(({ cloudId }) => cloudId))),
    operation: brief(last),
    createdAt: createdAt.toISOString(),
  }
}

async function componentsOf(
  deps: ApiDeps,
  record: DeploymentRecord,
  release: ReleaseRecord,
  machines: MachineRecord[],
  overrides: Awaited<ReturnType<ApiDeps['store']['overrides']['list']>>,
): Promise<Deployment['components']> {
  const { components, facts } = await factsOf(deps, record, release, machines, overrides)
  return components.map(({ name, recipe, replicas, service }) => ({
    name,
    recipe,
    replicas,
    ...(service !== undefined && { service }),
    outputs: safely(() => facts.outputs(name)),
  }))
}

function presentCanary(overrides: Parameters<typeof canaryIn>[0]): Deployment['canary'] {
  const { component, release, share, machines } = canaryIn(overrides) ?? {}
  if (component === undefined || release === undefined || share === undefined) return null
  return { component, release, share, machines: machines ?? [] }
}

/** A deployment that is half made has no outputs yet; that is no reason to show nothing. */
function safely(read: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return read()
  } catch {
    return {}
  }
}
