import type { CertificateStore, ServerCertificateStore } from '../model/certificate.ts'
import type { BlobStore, CloudStore, InstallationStore, TokenStore } from './store/control-plane.ts'
import type {
  DeploymentStore,
  MachineStore,
  OverrideStore,
  ReleaseStore,
  RevisionStore,
  SecretStore,
} from './store/deployments.ts'
import type { OperationStore } from './store/operations.ts'
import type { ServiceEventStore, WatchStore } from './store/watches.ts'

export type * from './store/control-plane.ts'
export type * from './store/deployments.ts'
export type * from './store/operations.ts'
export type * from './store/page.ts'
export type * from './store/watches.ts'

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
  serverCertificates: ServerCertificateStore
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
