import { z } from '@hono/zod-openapi'

/** Query of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).openapi({ description: 'Rows at most, up to 200' }),
  cursor: z.string().max(200).optional().openapi({ description: '`nextCursor` of the page before' }),
})

/** A page of a list; `nextCursor` is absent on the last one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() })
}
