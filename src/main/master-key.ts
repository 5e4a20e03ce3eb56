import { randomBytes } from 'node:crypto'
import { link, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKey } from '../lib/encryption.ts'
import { readState } from '../lib/state-file.ts'
import { KitbagError } from '../model/errors.ts'

const shape = /^[0-9a-f]{64}$/

/**
 * The key under which everything secret in the database lies: 32 bytes as 64 hex digits, in the given file or in one of the home,
 * made there at the first start. A given file is never made. Throws `prerequisite-missing` naming the file.
 */
export async function loadMasterKey(home: string, given?: string): Promise<Buffer> {
  const path = given ?? join(home, 'master-key')
  const text = (await readState(path)) ?? (given ? undefined : await makeMasterKey(path))
  if (text === undefined) {
    throw new KitbagError('prerequisite-missing', `the master key file ${path} does not exist`, {
      fix: 'Make one with: openssl rand -hex 32, readable by Kitbag alone, or leave KITBAG_MASTER_KEY_FILE out.',
    })
  }
  if (!shape.test(text.trim())) {
    throw new KitbagError('prerequisite-missing', `the master key file ${path} does not hold 64 hex digits`, {
      fix: 'Put the right key back; without it nothing secret in the database can be read.',
    })
  }
  return Buffer.from(text.trim(), 'hex')
}

/** Two processes that start at once end with the same key: the first to link its draft wins. */
async function makeMasterKey(path: string): Promise<string | undefined> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${generateKey().toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return readState(path)
}
