import type { JsonObject } from '../../model/json.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../../model/machine.ts'
import type { ReleaseRecord, ReleaseSpec } from '../../model/release.ts'
import type { Page } from './page.ts'

export interface DeploymentRecord {
  id: string
  tenantId: string
  name: string
  /** null until the first deploy. */
  cloudId: string | null
  cloud: string | null
  currentRelease: number | null
  createdAt: Date
}

export interface DeploymentStore {
  /** The existing one, or a new one. Throws `conflict` when it exists on another cloud. */
  ensure(tenantId: string, name: string, cloudId?: string): Promise<DeploymentRecord>
  getByName(tenantId: string, name: string): Promise<DeploymentRecord | undefined>
  get(id: string): Promise<DeploymentRecord | undefined>
  list(tenantId: string, page: Page): Promise<DeploymentRecord[]>
  /** null: nothing is in force any more. */
  setCurrentRelease(id: string, number: number | null): Promise<void>
  /** Refused (`conflict`) while it has machines. Operations stay. */
  remove(id: string): Promise<void>
}

export interface ReleaseStore {
  /** The newest release when its digest is the same, else a new one with the next number. */
  ensure(deploymentId: string, spec: ReleaseSpec): Promise<ReleaseRecord>
  get(deploymentId: string, number: number): Promise<ReleaseRecord | undefined>
  latest(deploymentId: string): Promise<ReleaseRecord | undefined>
  list(deploymentId: string, page: Page): Promise<ReleaseRecord[]>
}

export interface MachineStore {
  list(deploymentId: string): Promise<MachineRecord[]>
  get(id: string): Promise<MachineRecord | undefined>
  /** Every machine of the installation, for sweeps. */
  listAll(): Promise<MachineRecord[]>
  /**
   * Those whose firewall was to be changed, and nobody knows whether it is, of deployments with a release in force where
   * nothing is under way.
   */
  behind(): Promise<MachineRecord[]>
  /** The row before the effect. The same deployment and name twice gives the same row (with the key and token of the first time). */
  ensureCreating(
    deploymentId: string,
    machine: {
      component: string
      name: string
      ordinal: number
      cloudId: string
      spec: ResolvedMachineSpec
      stateful: boolean
      hostId?: string
    },
    hostKey: { privateKey: string; publicKey: string },
  ): Promise<MachineRecord & { createToken: string; hostKeyPrivate: string }>
  /** Partial update of one row. */
  update(
    id: string,
    change: Partial<
      Pick<
        MachineRecord,
        | 'providerId'
        | 'status'
        | 'addresses'
        | 'user'
        | 'sshPort'
        | 'hostKey'
        | 'spec'
        | 'installDigest'
        | 'configureDigest'
        | 'firewallDigest'
        | 'drifted'
        | 'releaseNumber'
      >
    >,
  ): Promise<void>
  remove(id: string): Promise<void>
  migrated(deploymentId: string, component: string): Promise<string[]>
  recordMigration(deploymentId: string, component: string, digest: string): Promise<void>
}

export interface SecretStore {
  /** A new version unless the newest already has this value. Returns the version. */
  set(deploymentId: string, name: string, value: string): Promise<number>
  /** Made at the first call, the same ever after. Returns the newest version. */
  ensureGenerated(deploymentId: string, name: string): Promise<number>
  get(deploymentId: string, name: string, version: number): Promise<string | undefined>
  list(deploymentId: string): Promise<{ name: string; version: number; createdAt: Date }[]>
  remove(deploymentId: string, name: string): Promise<boolean>
}

export interface RevisionStore {
  /** The key's number while its digest is the same; else the next one, `least` or more. Throws `not-found` without the deployment. */
  next(deploymentId: string, key: string, content: { digest: string; least: number }): Promise<number>
}

export interface OverrideStore {
  /** By scope and key. Not to be changed: who asks again may get the same objects. */
  list(deploymentId: string): Promise<Record<string, Record<string, JsonObject>>>
  /** null deletes. */
  set(deploymentId: string, scope: string, changes: Record<string, JsonObject | null>): Promise<void>
}
