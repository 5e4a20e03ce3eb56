import { z } from '@hono/zod-openapi'

const money = z.number().nullable()

const costSum = z
  .object({
    machines: z.int(),
    machine: money.openapi({ description: 'Machines, on demand' }),
    disk: money.openapi({ description: 'Disks' }),
    address: money.openapi({ description: 'Public addresses' }),
    total: money,
    currency: z.string().nullable().openapi({ description: 'ISO 4217; null: nobody says which' }),
  })
  .openapi('CostSum', { description: 'Of a month of 730 hours, by the price table; null is not known, and never 0' })

const comparison = { now: costSum, after: costSum, difference: money }

const notes = {
  hours: z.number().openapi({ description: 'Of the month that is counted' }),
  prices: z
    .array(z.object({ of: z.string(), date: z.string(), source: z.string() }))
    .openapi({ description: 'Whose prices they are, and the day that they are of' }),
  unknown: z.array(z.string()).openapi({ description: 'What is not known, and what to do about it' }),
  atMost: z
    .boolean()
    .openapi({ description: 'Machines that are asked for on spot first are counted as on demand: it may cost less' }),
}

export const planCostsSchema = z
  .object({
    ...notes,
    components: z.array(z.object({ component: z.string(), ...comparison })),
    total: z.object(comparison),
  })
  .openapi('PlanCosts')

export const deploymentCostsSchema = z
  .object({ ...notes, components: z.array(costSum.extend({ component: z.string() })), total: costSum })
  .openapi('DeploymentCosts')
