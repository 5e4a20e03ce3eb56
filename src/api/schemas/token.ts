import { z } from '@hono/zod-openapi'

const tokenName = z.string().min(1).max(80)

export const tokenSchema = z.object({ id: z.string(), name: z.string(), createdAt: z.string() }).openapi('Token')

export const newTokenSchema = z.strictObject({ name: tokenName }).openapi('NewToken')

export const createdTokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: z.string(),
    token: z.string().openapi({ description: 'Shown this once' }),
  })
  .openapi('CreatedToken')
