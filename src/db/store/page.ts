/** Cursor pagination: rows after `after` (an id or number of the last row seen), at most `limit`. Newest first unless said. */
export interface Page {
  after?: string
  limit: number
}
