import { KitbagError } from '../model/errors.ts'
import { missingDatabase } from './api.ts'
import { compose } from './compose.ts'
import type { Config } from './config.ts'
import { ensureHome } from './home.ts'
import { loadMasterKey } from './master-key.ts'
import { runWorker } from './run-worker.ts'
import type { Running, RunOptions } from './running.ts'
import { createStops } from './stops.ts'
import { connectTemporal } from './temporal/connect.ts'

/** A worker alone, one of many on a database and a Temporal cluster. */
export async function runWorkerAlone(config: Config, { log, worker }: RunOptions): Promise<Running> {
  const { home, cache, databaseUrl, temporal } = config
  if (!databaseUrl) throw missingDatabase('worker')
  if (!temporal) throw missingTemporal()
  const stops = createStops(log)
  try {
    await ensureHome(home)
    const masterKey = await loadMasterKey(home, config.masterKeyFile)
    const parts = await compose({ database: { url: databaseUrl }, masterKey, home, cache, log })
    stops.add('store', () => parts.close())
    const connection = await connectTemporal(temporal, masterKey, log)
    stops.add('Temporal connection', () => connection.close())
    const running = await runWorker({
      parts,
      temporal: connection,
      namespace: temporal.namespace,
      masterKey,
      ...worker,
    })
    stops.add('worker', () => running.stop())
    return { parts, failed: running.failed, stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}

function missingTemporal(): KitbagError {
  return new KitbagError(
    'prerequisite-missing',
    'TEMPORAL_ADDRESS is not set, and kitbag worker needs a Temporal cluster',
    {
      fix: 'Set it to host:port of one, or run everything in one with: kitbag up',
    },
  )
}
