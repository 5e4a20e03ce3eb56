import { KitbagError } from '../model/errors.ts'
import { ensureAdminToken } from './admin-token.ts'
import { compose } from './compose.ts'
import type { Config } from './config.ts'
import { ensureHome, removeAddress, writeAddress } from './home.ts'
import { listenHttp } from './http-server.ts'
import { loadMasterKey } from './master-key.ts'
import type { Running, RunOptions } from './running.ts'
import { serveApi } from './serve-api.ts'
import { createStops } from './stops.ts'

/** The API alone, one of many on a database. It needs no Temporal: workers find queued operations in the database. */
export async function runApi(config: Config, { log }: RunOptions): Promise<Running> {
  const { home, cache, databaseUrl } = config
  if (!databaseUrl) throw missingDatabase('api')
  const stops = createStops(log)
  try {
    await ensureHome(home)
    const http = await listenHttp(config.listen)
    stops.add('port', () => http.close(500))
    const masterKey = await loadMasterKey(home, config.masterKeyFile)
    const parts = await compose({ database: { url: databaseUrl }, masterKey, home, cache, log })
    stops.add('store', () => parts.close())
    await ensureAdminToken(home, parts.store.tokens, parts.tenantId)
    serveApi(http, parts, config, masterKey)
    // Ends first: no request shall find a store that is closed.
    stops.add('API', () => http.close(500))
    await writeAddress(home, http.url)
    stops.add('address', () => removeAddress(home))
    return { url: http.url, parts, failed: new Promise(() => {}), stop: () => stops.run() }
  } catch (error) {
    await stops.run()
    throw error
  }
}

/** What to say where a part is started alone without the database that it shares with others. */
export function missingDatabase(command: string): KitbagError {
  return new KitbagError(
    'prerequisite-missing',
    `DATABASE_URL is not set, and kitbag ${command} shares its database with others`,
    {
      fix: 'Set it to a PostgreSQL server, or run everything in one with: kitbag up',
    },
  )
}
