import { z } from 'zod'
import { durationField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'

export const healingSchema = strict({
  interval: durationField('1s', '1h').prefault('15s').describe('Time between two looks at machines that are well'),
  after: durationField('1s', '1d')
    .prefault('30s')
    .describe(
      'Time that a machine has to answer again before it is replaced. One that is deleted at its cloud has none',
    ),
  components: z
    .array(componentNameSchema)
    .min(1)
    .optional()
    .describe('Components and services whose machines are looked after; all if absent'),
  flapping: strict({
    replacements: z.int().min(1).max(1000).default(3).describe('Replacements within the time before it stops'),
    within: durationField('1m', '30d').prefault('1h').describe('That time'),
  })
    .prefault({})
    .describe('A component whose machines die again and again is left to a person'),
  atOnce: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Share of machines, of a component and of the deployment, that may be dead at the same time; with more of them none is replaced. One always may',
    ),
})

export type HealingSpec = z.output<typeof healingSchema>
