import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/db/open.ts'
import type { Store } from '../../src/db/store.ts'
import { generateKey } from '../../src/lib/encryption.ts'
import { createLog } from '../../src/lib/log.ts'
import { type EmbeddedPostgres, startPostgres } from '../../src/main/embedded/postgres.ts'
import { generateKeyPair } from '../../src/shell/keys.ts'

export interface TestStore {
  store: Store
  postgres: EmbeddedPostgres
  home: string
  masterKey: Buffer
  tenantId: string
  /** Another store on the same database, as another process has one. */
  another(): Promise<Store>
  stop(): Promise<void>
}

/** A store on a real PostgreSQL of its own, in a throw-away folder. */
export async function startTestStore(): Promise<TestStore> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-store-'))
  const log = createLog({ level: 'error' })
  const masterKey = generateKey()
  const postgres = await startPostgres({ home, log })
  const opened: Store[] = []
  const another = async () => {
    const store = await openStore({
      socket: postgres.socket,
      masterKey,
      generateKeyPair,
      completeRelease: (spec) => spec,
      log,
    })
    opened.push(store)
    return store
  }
  const store = await another().catch(async (error) => {
    await postgres.stop()
    await rm(home, { recursive: true, force: true })
    throw error
  })
  const { tenantId } = await store.installation.get()
  const running: TestStore = {
    store,
    postgres,
    home,
    masterKey,
    tenantId,
    another,
    async stop() {
      for (const one of opened) await one.close()
      await running.postgres.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
  return running
}
