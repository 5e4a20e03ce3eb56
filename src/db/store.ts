import type { CertificateStore } from '../model/certificate.ts'
import type { ErrorRecord } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type {
  OperationEvent,
  OperationKind,
  OperationRecord,
  OperationRequest,
  OperationResult,
  OperationStatus,
  UnitRecord,
  UnitStage,
  UnitStatus,
} from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'
import type { ReleaseRecord, ReleaseSpec } from '../model/release.ts'
import type { WatchDecision, WatchDecisionRecord, WatchLevel } from '../model/watch.ts'

/** Everything that API and activities keep. Every call is one transaction; ids are opaque. Implemented in one file per aggregate. */
export interface Store {
  installation: InstallationStore
  tokens: TokenStore
  clouds: CloudStore
  deployments: DeploymentStore
  releases: ReleaseStore
  machines: MachineStore
  operations: OperationStore
  secrets: SecretStore
  overrides: OverrideStore
  revisions: RevisionStore
  certificates: CertificateStore
  blobs: BlobStore
  watches: WatchStore
  serviceEvents: ServiceEventStore
  /**
   * Wakes on changes announced by any process on this database (LISTEN/NOTIFY), at the latest after `timeout` ms; also, without an
   * error, when the signal aborts or the store closes. What was announced up to 0.1 s before the call wakes it too: read, then wait.
   */
  changed(
    topic: 'operations' | `operation:${string}`,
    options: { timeout: number; signal?: AbortSignal },
  ): Promise<void>
  close(): Promise<void>
}

export interface InstallationStore {
  /** Made at the first start. */
  get(): Promise<{ id: string; sshPublicKey: string; sshPrivateKey: string; tenantId: string }>
}

export interface TokenStore {
  /** Returns the token in clear, once: `kbt_` and 43 characters. */
  create(tenantId: string, name: string): Promise<{ id: string; token: string }>
  /** The tenant that a token belongs to. */
  authenticate(token: string): Promise<{ tenantId: string; name: string } | undefined>
  list(tenantId: string): Promise<{ id: string; name: string; createdAt: Date }[]>
  remove(tenantId: string, id: string): Promise<boolean>
}

export interface CloudRecord {
  id: string
  tenantId: string
  name: string
  provider: string
  settings: JsonObject
  createdAt: Date
}

export interface CloudStore {
  /** Throws `conflict` when the name is taken. */
  create(
    tenantId: string,
    cloud: { name: string; provider: string; settings: JsonObject; credentials: JsonObject },
  ): Promise<CloudRecord>
  list(tenantId: string): Promise<CloudRecord[]>
  getByName(tenantId: string, name: string): Promise<CloudRecord | undefined>
  get(id: string): Promise<(CloudRecord & { credentials: JsonObject }) | undefined>
  /** undefined: there is none of that name. Absent credentials stay. */
  update(
    tenantId: string,
    name: string,
    change: { settings: JsonObject; credentials?: JsonObject },
  ): Promise<CloudRecord | undefined>
  /** Throws `conflict` naming the deployments that still use it. */
  remove(tenantId: string, name: string): Promise<boolean>
}

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

/** Cursor pagination: rows after `after` (an id or number of the last row seen), at most `limit`. Newest first unless said. */
export interface Page {
  after?: string
  limit: number
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
        | 'installDigest'
        | 'configureDigest'
        | 'drifted'
        | 'releaseNumber'
      >
    >,
  ): Promise<void>
  remove(id: string): Promise<void>
  migrated(deploymentId: string, component: string): Promise<string[]>
  recordMigration(deploymentId: string, component: string, digest: string): Promise<void>
}

export interface NewOperation {
  tenantId: string
  deploymentId: string
  deployment: string
  kind: OperationKind
  request: OperationRequest
  idempotencyKey?: string
  /** Digest of what the client sent with the key; default: of kind, deployment and request. */
  requestDigest?: string
  onConflict?: 'wait' | 'refuse'
  /** What it brings into force, stored with it or not at all; null deletes. */
  overrides?: { scope: string; changes: Record<string, JsonObject | null> }
}

/** Every change of an operation's status also appends its `operation` event, in the same transaction. */
export interface OperationStore {
  /**
   * Queues. With the idempotency key of an earlier call: that operation, or `idempotency-mismatch` when the request differed.
   * `onConflict: 'refuse'`: throws `operation-running` (naming it) while another one of this deployment is open.
   */
  submit(operation: NewOperation): Promise<{ operation: OperationRecord; existing: boolean }>
  /** What an earlier submission with this key made, so that a repeated request need not be worked out again. */
  byIdempotencyKey(
    tenantId: string,
    key: string,
  ): Promise<{ operation: OperationRecord; requestDigest: string } | undefined>
  /** With a tenant: undefined also for another tenant's. */
  get(id: string, tenantId?: string): Promise<OperationRecord | undefined>
  list(
    tenantId: string,
    filter: { deployment?: string; status?: OperationStatus[] },
    page: Page,
  ): Promise<OperationRecord[]>
  /** Turns the oldest queued operation of every idle deployment to `running` and returns them; each is returned to one caller only. */
  claim(limit: number): Promise<OperationRecord[]>
  /** Running rows whose workflow's start was never acknowledged, older than `age` ms: a dispatcher died in between. */
  undispatched(age: number): Promise<OperationRecord[]>
  /** All running and cancelling rows. */
  running(): Promise<OperationRecord[]>
  dispatched(id: string): Promise<void>
  /** queued -> cancelled at once; running -> cancelling; final: unchanged. Returns the row. */
  cancel(id: string): Promise<OperationRecord | undefined>
  finish(
    id: string,
    outcome: { status: 'succeeded' | 'failed' | 'cancelled'; result?: OperationResult; error?: ErrorRecord },
  ): Promise<void>
  /** Stores the plan and its unit rows (pending) in one transaction; keeps the stored one when there is one. */
  savePlan(id: string, stage: UnitStage, plan: Plan): Promise<Plan>
  plan(id: string, stage: UnitStage): Promise<Plan | undefined>
  units(id: string): Promise<UnitRecord[]>
  /** Written before (`running`, attempts + 1) and after each effect; also appends the `unit` event in the same transaction. */
  setUnit(
    id: string,
    stage: UnitStage,
    unitId: string,
    change: { status: UnitStatus; error?: ErrorRecord },
  ): Promise<void>
  /** Appends and announces. Many at once, in order. */
  appendEvents(id: string, events: { type: OperationEvent['type']; data: Record<string, unknown> }[]): Promise<void>
  events(id: string, afterSeq: number, limit: number): Promise<OperationEvent[]>
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

export interface BlobStore {
  /** Stores a stream under its digest. Throws `too-large` past 512 MiB, `invalid-request` when the bytes have another digest. */
  put(tenantId: string, digest: string, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number }>
  has(tenantId: string, digests: string[]): Promise<string[]>
  read(tenantId: string, digest: string): AsyncIterable<Buffer>
}

export interface WatchStore {
  /** Deployments with a release in force, with its number. */
  candidates(): Promise<{ deploymentId: string; release: number }[]>
  /** Begins a watch, and ends every earlier one: that can write no more. undefined: there is no such deployment. */
  begin(deploymentId: string): Promise<{ epoch: number; states: Record<string, JsonObject> } | undefined>
  /** How the deployment stands, with the overrides of these scopes, in one query. undefined: it is gone. */
  glance(deploymentId: string, scopes: string[]): Promise<WatchGlance | undefined>
  /**
   * Writes what a look came to, all or nothing: decisions, state, and the operation that it submits (once per key). false: somebody else
   * watches now, and nothing was written.
   */
  record(deploymentId: string, epoch: number, outcome: WatchWrite): Promise<boolean>
  /** Newest first. */
  decisions(deploymentId: string, service: string, page: Page): Promise<WatchDecisionRecord[]>
  /** What the service kept at its last look. */
  state(deploymentId: string, service: string): Promise<JsonObject>
}

export interface ServiceEventStore {
  /** What was done to a service, and what it decided by itself; newest first. */
  list(deploymentId: string, service: string, page: Page): Promise<ServiceEvent[]>
}

export interface ServiceEvent {
  /** Where a page goes on. */
  key: string
  at: Date
  /** Absent: a decision of the service's own. */
  operation?: { id: string; kind: OperationKind; status: OperationStatus }
  level: WatchLevel
  /** Of an operation: why it failed. */
  message: string
  data: Record<string, unknown>
}

export interface WatchGlance {
  id: string
  tenantId: string
  name: string
  currentRelease: number | null
  /** An operation that is not over, pushes left out. */
  operation: { id: string; kind: OperationKind; status: OperationStatus } | null
  /** Scope -> key -> value. */
  overrides: Record<string, Record<string, JsonObject>>
}

export interface WatchWrite {
  service: string
  state?: JsonObject
  decisions?: WatchDecision[]
  operation?: NewOperation
}
