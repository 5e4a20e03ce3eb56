import { z } from '@hono/zod-openapi'
import { componentName } from './names.ts'

export const serviceSchema = z
  .object({
    name: componentName,
    kind: z.string().openapi({ example: 'loadBalancer', description: 'The key under `toolkit:`' }),
    release: z.int().openapi({ description: 'The release that it is of' }),
    section: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'Its section with parameters filled in and defaults made explicit' }),
    machines: z.array(z.object({ name: z.string(), address: z.string().nullable(), status: z.string() })),
  })
  .openapi('Service')

export const sectionSchema = z
  .object({
    section: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'As it would stand in the blueprint, without `name`' }),
  })
  .openapi('ServiceSection')

const status = z.enum(['healthy', 'degraded', 'down'])

export const serviceHealthSchema = z
  .object({
    status: status.openapi({ description: 'down: it does not do its work; degraded: it does, and something is wrong' }),
    findings: z.array(z.object({ subject: z.string(), status, message: z.string() })),
  })
  .openapi('ServiceHealth')

export const serviceEventSchema = z
  .object({
    at: z.string(),
    type: z.enum(['operation', 'decision']),
    level: z.enum(['info', 'warn', 'alert']),
    message: z.string(),
    operation: z.string().optional().openapi({ description: 'Id of the operation' }),
    data: z.record(z.string(), z.unknown()).openapi({ description: 'What a decision was made from' }),
  })
  .openapi('ServiceEvent')

export const sampleSchema = z
  .object({
    component: z.string(),
    metric: z.string(),
    value: z.number(),
    source: z.string().openapi({ description: 'The node that says so' }),
  })
  .openapi('Sample')
