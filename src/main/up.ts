import { ensureAdminToken } from './admin-token.ts'
import { allOrFirstFailure } from './all-or-first-failure.ts'
import { type ComposeOptions, compose } from './compose.ts'
import type { Config } from './config.ts'
import { startPostgres } from './embedded/postgres.ts'
import { startTemporal } from './embedded/temporal.ts'
import { ensureTemporal } from './embedded/temporal-binary.ts'
import { ensureHome, lockHome, removeAddress, writeAddress } from './home.ts'
import { listenHttp } from './http-server.ts'
import { loadMasterKey } from './master-key.ts'
import type { Running, RunOptions } from './running.ts'
import { createStops } from './stops.ts'

export interface UpOptions extends RunOptions {
  overrides?: ComposeOptions['overrides']
}

/** The whole control plane in one process and its children: what is not configured is embedded. On failure nothing is left running. */
export async function up(config: Config, options: UpOptions): Promise<Running> {
  const { log, onProgress, signal } = options
  const { home, cache } = config
  const stops = createStops(log)
  try {
    await ensureHome(home)
    const lock = await lockHome(home)
    stops.add('lock', () => lock.release())
    const http = await listenHttp(config.listen)
    stops.add('port', () => http.close(500))
    const masterKey = await loadMasterKey(home, config.masterKeyFile)

    signal?.throwIfAborted()
    // Side by side, and loading the code meanwhile; a failure of one waits for the other, so that both can be ended.
    const [parts, temporal, code] = await allOrFirstFailure([
      openParts(),
      openTemporal(),
      Promise.all([import('./run-worker.ts'), import('./serve-api.ts'), import('./temporal/connect.ts')]),
    ])
    signal?.throwIfAborted()
    const [{ runWorker }, { serveApi }, { connectTemporal }] = code
    const connection = await connectTemporal(temporal.target, masterKey, log)
    stops.add('Temporal connection', () => connection.close())
    const worker = await runWorker({
      parts,
      temporal: connection,
      namespace: temporal.target.namespace,
      masterKey,
      ...options.worker,
    })
    stops.add('worker', () => worker.stop())
    await ensureAdminToken(home, parts.store.tokens, parts.tenantId)
    serveApi(http, parts, config, masterKey)
    // Ends first: no request shall find a store that is closed.
    stops.add('API', () => http.close(500))
    await writeAddress(home, http.url)
    stops.add('address', () => removeAddress(home))
    const failed = Promise.race([worker.failed, ...stops.failures()])
    failed.catch(() => {})
    return {
      url: http.url,
      failed,
      parts,
      stop: () => stops.run(),
    }

    async function openParts() {
      const database = config.databaseUrl ? { url: config.databaseUrl } : await embeddedDatabase()
      const opened = await compose({
        database,
        masterKey,
        home,
        cache,
        log,
        ...(options.overrides && { overrides: options.overrides }),
      })
      stops.add('store', () => opened.close())
      return opened
    }

    async function embeddedDatabase() {
      const postgres = await startPostgres({ home, log })
      stops.add('PostgreSQL', () => postgres.stop(), postgres.failed)
      return { socket: postgres.socket }
    }

    async function openTemporal() {
      if (config.temporal) return { target: config.temporal }
      const binary = await ensureTemporal({
        cache,
        onProgress: (detail) => onProgress('Temporal', detail),
        ...(signal && { signal }),
      })
      const server = await startTemporal({ home, binary, log })
      stops.add('Temporal', () => server.stop(), server.failed)
      return { target: { address: server.address, namespace: server.namespace } }
    }
  } catch (error) {
    await stops.run()
    throw error
  }
}
