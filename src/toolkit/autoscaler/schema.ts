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
  'latency-p95': 'level',
} as const satisfies Record<string, 'shared' | 'level'>

export type Metric = keyof typeof metrics

/** What is looked at: a metric, or an expression. */
const figureFields = {
  metric: z
    .enum(Object.keys(metrics) as [Metric, ...Metric[]])
    .optional()
    .describe(
      'Of each machine: requests that come in, requests waiting or under way (queue-length), cpu and memory as a share; of the component: error-rate, the share of answers that are 5xx, and latency-p95 in seconds',
    ),
  promql: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Instead of a metric: any PromQL with one value; needs monitoring'),
  shared: z
    .boolean()
    .default(false)
    .describe(
      'Of `promql`: whether the value is that of all machines together, so that twice the machines halve it for each',
    ),
}

const count = z.int().min(0).max(1000)

const targetField = strict({
  ...figureFields,
  value: z.number().positive().max(1e9).describe('The size is chosen so that the figure stays at or below it'),
})

const stepField = strict({
  ...figureFields,
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
    .describe(
      'Nothing is added beyond this cost of the whole deployment in 730 hours: machines, disks and addresses, by the prices of its clouds',
    ),
})

export type Policy = z.output<typeof autoscalerSchema>
export type Target = z.output<typeof targetField>

export function targetsOf({ target, targets }: Policy): Target[] {
  return target === undefined ? targets : [target, ...targets]
}

/** What targets and steps go by. */
export interface Figure {
  /** The metric, or the expression. */
  name: string
  kind: 'shared' | 'level'
  promql: boolean
}

export function figureOf({ metric, promql, shared }: Pick<Target, 'metric' | 'promql' | 'shared'>): Figure {
  if (metric !== undefined) return { name: metric, kind: metrics[metric], promql: false }
  return { name: promql ?? '', kind: shared ? 'shared' : 'level', promql: true }
}

/** Every figure that a policy goes by, with the place that first asks for it. */
export function figuresOf(policy: Policy): (Figure & { path: string })[] {
  const { target, targets, steps } = policy
  const all = [
    ...(target ? [{ ...figureOf(target), path: 'target' }] : []),
    ...targets.map((one, i) => ({ ...figureOf(one), path: `targets.${i}` })),
    ...steps.map((one, i) => ({ ...figureOf(one), path: `steps.${i}` })),
  ]
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i)
}

export interface PolicyProblem {
  path: string
  message: string
  found?: string
}

function places({ target, targets, steps }: Policy) {
  return [
    ...(target ? [{ ...target, path: 'target' }] : []),
    ...targets.map((one, i) => ({ ...one, path: `targets.${i}` })),
    ...steps.map((one, i) => ({ ...one, path: `steps.${i}` })),
  ]
}

/** What no single field shows. */
export function policyProblems(policy: Policy): PolicyProblem[] {
  const { min, max, steps, schedules } = policy
  const problems: PolicyProblem[] = []
  if (min > max) problems.push({ path: 'min', message: `${min} is more than max, ${max}`, found: String(min) })
  if (figuresOf(policy).length === 0 && schedules.length === 0)
    problems.push({ path: '', message: 'needs a `target`, `targets`, `steps` or `schedules`' })
  for (const { path, ...one } of places(policy)) {
    if ((one.metric === undefined) === (one.promql === undefined))
      problems.push({ path, message: 'needs either `metric` or `promql`' })
    if (one.shared && one.promql === undefined)
      problems.push({ path: `${path}.shared`, message: 'belongs to `promql`: of a metric it is known', found: 'true' })
  }
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
