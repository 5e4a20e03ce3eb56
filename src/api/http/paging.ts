import type { Page } from '../../db/store.ts'
import { KitbagError } from '../../model/errors.ts'

interface PageRequest {
  limit: number
  cursor?: string | undefined
}

/**
 * One page through a list that is read by `Page`: asks for one row more than wanted, which tells whether there is a next page.
 * `key` gives what the store continues after. Throws `invalid-request` for a cursor that no answer of ours held.
 */
export async function paged<Row, Item>(
  { limit, cursor }: PageRequest,
  read: (page: Page) => Promise<Row[]>,
  key: (row: Row) => string | number,
  present: (row: Row) => Item | Promise<Item>,
): Promise<{ items: Item[]; nextCursor?: string }> {
  const rows = await read({ limit: limit + 1, ...(cursor !== undefined && { after: decodeCursor(cursor) }) })
  const items = await Promise.all(rows.slice(0, limit).map(present))
  const last = rows[limit - 1]
  return { items, ...(rows.length > limit && last && { nextCursor: encodeCursor(key(last)) }) }
}

/** The same for a list that the store gives whole and in order. */
export function pagedWhole<Row, Item>(
  request: PageRequest,
  rows: Row[],
  key: (row: Row) => string,
  present: (row: Row) => Item,
) {
  const read = async ({ after, limit }: Page) => {
    const start = after === undefined ? 0 : rows.findIndex((row) => key(row) === after) + 1
    return rows.slice(start, start + limit)
  }
  return paged(request, read, key, present)
}

const mark = 'c1:'

function encodeCursor(key: string | number): string {
  return Buffer.from(`${mark}${key}`).toString('base64url')
}

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  if (text.startsWith(mark) && /^[A-Za-z0-9_.-]+$/.test(text.slice(mark.length))) return text.slice(mark.length)
  throw new KitbagError('invalid-request', 'cursor: this is not a cursor of this API', {
    fix: 'Take `nextCursor` of the page before as it is, or leave the cursor out to begin at the first page.',
    problems: [{ path: 'cursor', message: 'not a cursor of this API', found: cursor }],
  })
}
