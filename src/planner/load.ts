import type { CertificateStore, ServerCertificateStore } from '../model/certificate.ts'
import { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { ReleaseRecord } from '../model/release.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'
import { effectiveOverrides } from './effective-overrides.ts'
import type { NumberedRelease, PlanInput } from './plan-input.ts'
import { certificateWords } from './tls.ts'
import { valueVersions } from './values.ts'

/** What a plan's input is read from: the part of the store that it needs. */
export interface PlanSource {
  deployments: {
    get(
      id: string,
    ): Promise<
      { id: string; tenantId: string; name: string; cloudId: string | null; currentRelease: number | null } | undefined
    >
  }
  releases: { get(deploymentId: string, number: number): Promise<ReleaseRecord | undefined> }
  machines: {
    list(deploymentId: string): Promise<MachineRecord[]>
    migrated(deploymentId: string, component: string): Promise<string[]>
  }
  overrides: { list(deploymentId: string): Promise<Record<string, Record<string, JsonObject>>> }
  clouds: { list(tenantId: string): Promise<{ id: string; name: string; settings: JsonObject }[]> }
  certificates: CertificateStore
  serverCertificates: Pick<ServerCertificateStore, 'list'>
}

export interface PlanRequest {
  kind: PlanInput['kind']
  /** A stored release by number, or one that is not stored yet; absent: nothing. */
  release?: number | NumberedRelease
  allowDataLoss?: string[]
  service?: string
  /** Beside the stored ones (a scale under way). */
  overrides?: Record<string, Record<string, JsonObject>>
}

/** Reads all that a plan of this request needs. Throws `not-found` for a deployment or a release that does not exist. */
export async function loadPlanInput(
  source: PlanSource,
  deploymentId: string,
  request: PlanRequest,
  toolkit: ToolkitRegistry,
): Promise<PlanInput> {
  const deployment = await source.deployments.get(deploymentId)
  if (!deployment) throw new KitbagError('not-found', `there is no deployment ${deploymentId}`)
  const numbered = async (number: number): Promise<NumberedRelease> => {
    const found = await source.releases.get(deploymentId, number)
    if (found) return { number, spec: found.spec }
    throw new KitbagError('not-found', `${deployment.name} has no release ${number}`, {
      fix: `See kitbag releases ${deployment.name}.`,
    })
  }
  const release = typeof request.release === 'number' ? await numbered(request.release) : request.release
  const current = deployment.currentRelease === null ? undefined : await numbered(deployment.currentRelease)
  const components = release?.spec.blueprint.components ?? []
  const ran = await Promise.all(
    components.map(
      async ({ name, migrate }) =>
        [name, migrate === undefined ? [] : await source.machines.migrated(deploymentId, name)] as const,
    ),
  )
  const stored = await source.overrides.list(deploymentId)
  const { certificates } = source
  const clouds = await source.clouds.list(deployment.tenantId)
  const machines = await source.machines.list(deploymentId)
  const now = new Date()
  const values = release && (await valueVersions({ toolkit, deployment, certificates, now }, release.spec))
  return {
    deployment: deployment.name,
    kind: request.kind,
    ...(release && { release }),
    ...(current && { current }),
    machines,
    overrides: request.overrides ?? (release ? effectiveOverrides(stored, current?.spec, release.spec) : stored),
    ...(values && { values }),
    certificates: certificateWords(await source.serverCertificates.list(deploymentId), machines, now),
    migrated: Object.fromEntries(ran),
    clouds: Object.fromEntries(clouds.map(({ name, id }) => [name, id])),
    sshFrom: sshSources(clouds),
    cloudId: deployment.cloudId,
    toolkit,
    allowDataLoss: request.allowDataLoss ?? [],
    ...(request.service !== undefined && { service: request.service }),
  }
}

/** Cloud id -> networks that its settings (`sshFrom`) let SSH come from, for those that say. */
export function sshSources(clouds: { id: string; settings: JsonObject }[]): Record<string, string[]> {
  return Object.fromEntries(
    clouds.flatMap(({ id, settings: { sshFrom } }) => (Array.isArray(sshFrom) ? [[id, sshFrom.map(String)]] : [])),
  )
}
