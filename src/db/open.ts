import type { Log } from '../lib/log.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { createBlobStore } from './blobs.ts'
import { createCertificateStore } from './certificates.ts'
import { createCloudStore } from './clouds.ts'
import { type DatabaseAddress, openDatabase, openPool } from './database.ts'
import { createDeploymentStore } from './deployments.ts'
import { guarded, translated } from './failures.ts'
import { createInstallationStore, ensureInstallation } from './installation.ts'
import { createKeys } from './keys.ts'
import { createListener } from './listener.ts'
import { createMachineStore } from './machines.ts'
import { migrateDatabase } from './migrate.ts'
import { createOperationStore } from './operations.ts'
import { createOverrideStore } from './overrides.ts'
import { createReleaseStore } from './releases.ts'
import { createRevisionStore } from './revisions.ts'
import { createSecretStore } from './secrets.ts'
import { createServerCertificateStore } from './server-certificates.ts'
import { createServiceEventStore } from './service-events.ts'
import type { Store } from './store.ts'
import { createTokenStore } from './tokens.ts'
import { createWatchStore } from './watches.ts'

export type StoreOptions = DatabaseAddress & {
  /** 32 bytes; what is secret in the database can be read with it only. */
  masterKey: Buffer
  /** Makes the installation's SSH key pair, once, in OpenSSH's formats. */
  generateKeyPair: (comment: string) => { privateKey: string; publicKey: string }
  /** What an older Kitbag stored, as this one reads it. */
  completeRelease: (spec: ReleaseSpec) => ReleaseSpec
  log: Log
}

/**
 * Connects, brings the schema up to date (safe when several do it at once) and makes the installation at the first start. Throws
 * `prerequisite-missing` when the database was encrypted with another master key.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { masterKey, generateKeyPair, completeRelease, log } = options
  const pool = openPool(options, log)
  const db = openDatabase(pool)
  const keys = createKeys(db, masterKey)
  try {
    await migrateDatabase(pool, (locked) => ensureInstallation(locked, keys, generateKeyPair))
  } catch (error) {
    await pool.end()
    throw translated(error)
  }
  const listener = createListener(options, log)
  return {
    installation: guarded(createInstallationStore(db, keys)),
    tokens: guarded(createTokenStore(db)),
    clouds: guarded(createCloudStore(db, keys)),
    deployments: guarded(createDeploymentStore(db)),
    releases: guarded(createReleaseStore(db, completeRelease)),
    machines: guarded(createMachineStore(db, keys)),
    operations: guarded(createOperationStore(db)),
    secrets: guarded(createSecretStore(db, keys)),
    overrides: guarded(createOverrideStore(db)),
    revisions: guarded(createRevisionStore(db)),
    certificates: guarded(createCertificateStore(db, keys)),
    serverCertificates: guarded(createServerCertificateStore(db, keys)),
    blobs: guarded(createBlobStore(db)),
    watches: guarded(createWatchStore(db)),
    serviceEvents: guarded(createServiceEventStore(db)),
    changed: listener.changed,
    async close() {
      await listener.close()
      await pool.end()
    },
  }
}
