import { z } from '@hono/zod-openapi'
import { findingSchema } from './cloud.ts'

export const importPlanSchema = z
  .object({
    ok: z.boolean().openapi({ description: 'Nothing speaks against it' }),
    name: z.string().openapi({ description: 'The name that it would get', example: 'web-3' }),
    machine: z.object({
      id: z.string().openapi({ description: "The cloud's own" }),
      name: z.string(),
      status: z.enum(['pending', 'running', 'stopped', 'gone']),
      address: z.string().nullable(),
      user: z.string(),
    }),
    hostKey: z
      .object({
        fingerprint: z.string(),
        source: z
          .enum(['given', 'cloud', 'console', 'shown'])
          .openapi({ description: 'Who says that it is the right one; `shown`: nobody yet' }),
      })
      .nullable(),
    findings: z.array(findingSchema),
  })
  .openapi('ImportPlan')

export type ImportPlan = z.infer<typeof importPlanSchema>
