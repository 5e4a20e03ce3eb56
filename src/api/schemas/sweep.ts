import { z } from '@hono/zod-openapi'

export const sweepRequestSchema = z
  .strictObject({ remove: z.boolean().default(false).openapi({ description: 'Remove what is found' }) })
  .openapi('SweepRequest')

export const sweepReportSchema = z
  .object({
    machines: z.array(
      z.object({
        id: z.string().openapi({ description: "The cloud's own id" }),
        name: z.string(),
        cloud: z.string(),
        deployment: z.string().optional(),
        removed: z.boolean(),
      }),
    ),
    addresses: z
      .array(
        z.object({
          address: z.string(),
          name: z.string(),
          cloud: z.string(),
          deployment: z.string(),
          removed: z.boolean(),
        }),
      )
      .openapi({ description: 'Static addresses that no machine has or is to have' }),
    residue: z.array(z.string()).openapi({ description: 'Left beside machines: bridges, mounts, rules' }),
  })
  .openapi('SweepReport', { description: 'Machines of this installation that no deployment knows' })
