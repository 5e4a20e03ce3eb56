import { z } from '@hono/zod-openapi'
import { secretName } from './names.ts'

export const secretSchema = z
  .object({ name: secretName, version: z.int(), createdAt: z.string() })
  .openapi('Secret', { description: 'A secret’s name and newest version; its value is never given back' })

export const secretValueSchema = z
  .strictObject({
    value: z
      .string()
      .min(1)
      .max(64 * 1024),
  })
  .openapi('SecretValue')
