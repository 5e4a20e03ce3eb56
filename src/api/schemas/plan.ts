import { z } from '@hono/zod-openapi'
import { planCostsSchema } from './costs.ts'

const reason = z.object({
  message: z.string(),
  path: z.string().optional(),
  before: z.string().optional(),
  after: z.string().optional(),
})

const changeSchema = z
  .object({
    action: z.enum(['create', 'keep', 'update', 'replace', 'remove', 'import', 'forget']),
    component: z.string(),
    machine: z.string(),
    replacement: z.string().optional().openapi({ description: 'The machine that takes its place' }),
    on: z.string().optional().openapi({ description: 'The machine that it shares, where it has none of its own' }),
    reasons: z.array(reason),
    stateful: z.boolean(),
  })
  .openapi('Change')

const unit = z
  .looseObject({
    id: z.string(),
    kind: z.string(),
    component: z.string(),
    machine: z.string(),
    needs: z.array(z.string()),
    reason: z.string(),
  })
  .openapi('PlannedUnit')

export const planSchema = z
  .object({
    version: z.literal(1),
    deployment: z.string(),
    release: z.int().optional(),
    units: z.array(unit),
    changes: z.array(changeSchema),
    refusals: z.array(
      z.object({
        code: z.literal('data-loss-refused'),
        component: z.string(),
        machine: z.string(),
        message: z.string(),
        fix: z.string(),
      }),
    ),
    digest: z
      .string()
      .openapi({ description: 'Of all but the refusals, the costs and what was seen on imported machines' }),
    costs: planCostsSchema,
    imported: z
      .array(
        z.object({
          machine: z.string(),
          changes: z.array(z.object({ resource: z.string(), changes: z.array(z.string()) })),
          unknown: z.string().optional().openapi({ description: 'Why there may be more than these' }),
        }),
      )
      .openapi({
        description: 'What setting up imported machines would change on them, by a look at each as it is now',
      }),
  })
  .openapi('Plan')

export type PlanBody = z.infer<typeof planSchema>
