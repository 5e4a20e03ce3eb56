import { z } from '@hono/zod-openapi'
import type { CloudRecord } from '../../db/store.ts'
import { cloudName } from './names.ts'

const json = z.record(z.string(), z.unknown())

export const cloudSchema = z
  .object({
    name: cloudName,
    provider: z.string().openapi({ example: 'local' }),
    settings: json,
    createdAt: z.string(),
  })
  .openapi('Cloud')

export const newCloudSchema = z
  .strictObject({
    name: cloudName,
    provider: z.string().max(40).openapi({ description: 'Kind of provider', example: 'local' }),
    settings: json.default({}).openapi({ description: 'Region, network, image, ...: what the provider knows' }),
    credentials: json.default({}).openapi({ description: 'Stored encrypted, never given back' }),
  })
  .openapi('NewCloud')

export const cloudChangeSchema = z
  .strictObject({
    settings: json.openapi({ description: 'All of them, in the place of what was there' }),
    credentials: json.optional().openapi({ description: 'Absent: they stay' }),
  })
  .openapi('CloudChange')

export const findingSchema = z
  .object({ name: z.string(), ok: z.boolean(), detail: z.string() })
  .openapi('CloudFinding', { description: 'One permission, tool or quota' })

export type Cloud = z.infer<typeof cloudSchema>
export type NewCloud = z.input<typeof newCloudSchema>
export type Finding = z.infer<typeof findingSchema>

export function presentCloud({ name, provider, settings, createdAt }: CloudRecord): Cloud {
  return { name, provider, settings, createdAt: createdAt.toISOString() }
}
