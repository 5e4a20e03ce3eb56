import { z } from 'zod'
import { durationField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'
import { cronProblem, zoneProblem } from './schedule.ts'

/**
 * How a figure follows the number of machines. `shared`: what is asked of all of them together, so that twice the machines halve it for
 * each. `level`: the same whatever their number is.
 */
export const metrics = {
  'requests-per-second-per-machine': 'shared',
  'queue-length': 'shared',
  cpu: 'shared',
  memory: 'shared',
  'error-rate': 'level',
} as const satisfies Record<string, 'shared' | 'level'>

export type Metric = keyof typeof metrics

/** Designed and not built yet. */
const later = ['latency-p95', 'promql']

const metricField = z
  .enum(Object.keys(metrics) as [Metric, ...Metric[]], {
    error: ({ input }) =>
      later.includes(String(input)) ? `${input} is not built yet: ${Object.keys(metrics).join(', ')} are` : undefined,
  })
  .describe(
    'Of each machine: requests that come in, requests waiting or under way (queue-length), cpu and memory as a share; of the component: error-rate, the share of answers that are 5xx',
  )

const count = z.int().min(0).max(1000)

const targetField = strict({
  metric: metricField,
  value: z.number().positive().max(1e9).describe('The size is chosen so that the figure stays at or below it'),
})

const stepField = strict({
  metric: metricField,
  above: z.number().min(0).optional(),
  below: z.number().min(0).optional(),
  change: z.int().min(-100).max(100).describe('Machines to add; negative: to remove'),
})

const scheduleField = strict({
  cron: z
    .string()
    .max(100)
    .refine((text) => cronProblem(text) === undefined, { error: ({ input }) => cronProblem(String(input)) ?? '' })
    .describe('When it begins: minute, hour, day of month, month, day of week'),
  zone: z
    .string()
    .max(60)
    .refine((text) => zoneProblem(text) === undefined, { error: ({ input }) => zoneProblem(String(input)) ?? '' })
    .default('UTC')
    .describe('Time zone of the cron, such as Europe/Berlin'),
  for: durationField('1m', '31d').describe('How long it holds'),
  min: count.optional(),
  max: count.optional(),
})

const inAndOut = (out: string, into: string) =>
  strict({
    out: durationField('0s', '1d').prefault(out).describe('After a change, before machines are added'),
    in: durationField('0s', '1d').prefault(into).describe('After a change, before machines are removed'),
  }).prefault({})

export const autoscalerSchema = strict({
  component: componentNameSchema.describe('Whose machines'),
  min: z.int().min(1).max(1000).default(1).describe('Machines, at least'),
  max: z.int().min(1).max(1000).describe('Machines, at most'),
  target: targetField.optional().describe('A figure to keep'),
  targets: z
    .array(targetField)
    .max(10)
    .default([])
    .describe('Several: the largest size that one of them asks for counts'),
  steps: z.array(stepField).max(50).default([]).describe('Changes by fixed numbers, beside or instead of targets'),
  schedules: z
    .array(scheduleField)
    .max(50)
    .default([])
    .describe('Other bounds at certain times; of several that hold the last one in the list counts'),
  interval: durationField('1s', '1h').prefault('15s').describe('Time between two looks'),
  cooldown: inAndOut('30s', '1m'),
  stabilisation: durationField('0s', '1d')
    .prefault('5m')
    .describe('Machines are removed down to the largest size that was wanted within this time'),
  warmUp: durationField('0s', '1h')
    .prefault('1m')
    .describe(
      'Time that new machines take to be of full use: nothing is removed meanwhile, nothing added because of a level',
    ),
  steppingAtMost: strict({
    out: z.int().min(1).max(1000).optional().describe('Machines added at once; no limit if absent'),
    in: z.int().min(1).max(1000).optional().describe('Machines removed at once; no limit if absent'),
  }).prefault({}),
  maxMachines: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Nothing is added beyond so many machines of the whole deployment'),
  maxMonthlyCost: z
    .number()
    .min(0)
    .optional()
    .describe('Nothing is added beyond this cost of the whole deployment, by the prices of its clouds for 730 hours'),
})

export type Policy = z.output<typeof autoscalerSchema>
export type Target = z.output<typeof targetField>

export function targetsOf({ target, targets }: Policy): Target[] {
  return target === undefined ? targets : [target, ...targets]
}

/** Every metric that a policy asks for. */
export function metricsOf(policy: Policy): Metric[] {
  return [...new Set([...targetsOf(policy), ...policy.steps].map(({ metric }) => metric))]
}

export interface PolicyProblem {
  path: string
  message: string
  found?: string
}

/** What no single field shows. */
export function policyProblems(policy: Policy): PolicyProblem[] {
  const { min, max, steps, schedules } = policy
  const problems: PolicyProblem[] = []
  if (min > max) problems.push({ path: 'min', message: `${min} is more than max, ${max}`, found: String(min) })
  if (metricsOf(policy).length === 0 && schedules.length === 0)
    problems.push({ path: '', message: 'needs a `target`, `targets`, `steps` or `schedules`' })
  for (const [i, { above, below, change }] of steps.entries()) {
    if ((above === undefined) === (below === undefined))
      problems.push({ path: `steps.${i}`, message: 'needs either `above` or `below`' })
    if (change === 0) problems.push({ path: `steps.${i}.change`, message: 'changes nothing', found: '0' })
  }
  for (const [i, schedule] of schedules.entries()) {
    const low = schedule.min ?? min
    const high = schedule.max ?? max
    if (schedule.min === undefined && schedule.max === undefined)
      problems.push({ path: `schedules.${i}`, message: 'needs `min` or `max`' })
    if (low > high)
      problems.push({ path: `schedules.${i}`, message: `its min would be ${low}, which is more than its max, ${high}` })
  }
  return problems
}
