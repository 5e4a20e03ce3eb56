import { join } from 'node:path'
import type { Store } from '../db/store.ts'
import { readState, writeState } from '../lib/state-file.ts'

/** The token of whoever may read the home: made at the first start, and again when the database no longer knows it. */
export async function ensureAdminToken(home: string, tokens: Store['tokens'], tenantId: string): Promise<void> {
  const path = join(home, 'admin-token')
  const known = (await readState(path))?.trim()
  if (known && (await tokens.authenticate(known))) return
  const { token } = await tokens.create(tenantId, 'admin')
  await writeState(path, `${token}\n`)
}
