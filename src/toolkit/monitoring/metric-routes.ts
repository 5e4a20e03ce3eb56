import { z } from 'zod'
import { nearest } from '../../lib/nearest.ts'
import { queryPrometheus, queryPrometheusRange, type Series } from '../../lib/prometheus.ts'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { ReadContext, ToolkitRoute } from '../contract.ts'
import { asked } from './nodes.ts'
import { promqlFault } from './promql.ts'
import type { MonitoringSpec } from './schema.ts'
import { rangeOf, timeFields } from './time-range.ts'
import { type Word, words } from './words.ts'

type Route = ToolkitRoute<MonitoringSpec>
type Context = ReadContext<MonitoringSpec>

const value = z.number().nullable().describe('null: there is none, such as a latency without requests')

const sampleSchema = z.object({ at: z.string().describe('Time, ISO 8601'), value })

const seriesSchema = z.object({
  component: z.string(),
  machine: z.string().describe('Empty: of the whole component'),
  samples: z.array(sampleSchema),
})

const rawSchema = z.object({
  series: z.string().describe('Name and labels, as PromQL writes them'),
  labels: z.record(z.string(), z.string()),
  samples: z.array(sampleSchema),
})

const samplesOf = ({ samples }: Series) =>
  samples.map(({ at, value: found }) => ({
    at: new Date(at).toISOString(),
    value: Number.isFinite(found) ? found : null,
  }))

/** Milliseconds after which a value is not of now: as long as Prometheus itself takes a figure as current. */
const current = 300_000

/** A figure that is asked for as it is now; null where its Prometheus is in another time. */
function valueNow(one: Series): number | null {
  const [sample] = samplesOf(one)
  return sample && Math.abs(Date.now() - Date.parse(sample.at)) <= current ? sample.value : null
}

const currentRoute: Route = {
  id: 'current',
  method: 'get',
  path: '/metrics',
  summary: 'Every figure that has a word, as it is now',
  query: z.object({ by: z.enum(['component', 'machine']).default('component') }),
  response: z.object({
    metrics: z.array(
      z.object({ metric: z.string(), component: z.string(), machine: z.string(), value, unit: z.string() }),
    ),
  }),
  cli: [{ name: 'show', summary: 'Show every figure as it is now' }],
  async read(context, _, { by }) {
    const found = await Promise.all(
      words.map(async (word) => ({ word, series: await instant(context, seriesName(word, by === 'machine')) })),
    )
    return {
      metrics: found.flatMap(({ word, series }) =>
        series.map((one) => ({
          metric: word.name,
          component: one.labels.component ?? '',
          machine: one.labels.machine ?? '',
          value: valueNow(one),
          unit: word.unit,
        })),
      ),
    }
  },
}

const metricRoute: Route = {
  id: 'metric',
  method: 'get',
  path: '/metrics/{metric}',
  summary: 'One figure, now or over a time, by component or machine',
  query: z.object({
    by: z.enum(['component', 'machine']).default('component'),
    component: z.string().max(60).optional(),
    machine: z.string().max(60).optional(),
    ...timeFields,
  }),
  response: z.object({ metric: z.string(), unit: z.string(), series: z.array(seriesSchema) }),
  cli: [{ name: 'get', summary: 'Show one figure, now or over a time', each: 'samples' }],
  async read(context, { metric = '' }, query) {
    const word = words.find(({ name }) => name === metric)
    if (!word) throw unknownMetric(metric)
    const { component, machine } = query as { component?: string; machine?: string }
    const byMachine = query.by === 'machine' || machine !== undefined
    const expression = narrowed(seriesName(word, byMachine), { component, machine })
    const series = await over(context, expression, query)
    return {
      metric,
      unit: word.unit,
      series: series.map((one) => ({
        component: one.labels.component ?? '',
        machine: one.labels.machine ?? '',
        samples: samplesOf(one),
      })),
    }
  },
}

const queryRoute: Route = {
  id: 'query',
  method: 'get',
  path: '/query',
  summary: 'Any PromQL, now or over a time',
  query: z.object({ query: z.string().min(1).max(10_000), ...timeFields }),
  response: z.object({ series: z.array(rawSchema) }),
  cli: [{ name: 'query', summary: 'Ask in PromQL', arguments: ['query'], each: 'samples' }],
  async read(context, _, query) {
    const expression = String(query.query)
    const fault = promqlFault(expression)
    if (fault) {
      const message = `is no PromQL at character ${fault.at}`
      throw new KitbagError('invalid-request', `query ${message}`, {
        problems: [{ path: 'query', message, found: fault.near }],
      })
    }
    const series = await over(context, expression, query)
    return {
      series: series.map((one) => ({ series: selector(one.labels), labels: one.labels, samples: samplesOf(one) })),
    }
  },
}

const targetsRoute: Route = {
  id: 'targets',
  method: 'get',
  path: '/targets',
  summary: 'What is looked at, and whether it answers',
  response: z.object({
    targets: z.array(z.object({ job: z.string(), component: z.string(), machine: z.string(), up: z.boolean() })),
  }),
  cli: [{ name: 'targets', summary: 'Show what is looked at, and whether it answers' }],
  async read(context) {
    const series = await instant(context, 'max by (job, component, machine) (up)')
    return {
      targets: series.map(({ labels, samples }) => ({
        job: labels.job ?? '',
        component: labels.component ?? '',
        machine: labels.machine ?? '',
        up: samples[0]?.value === 1,
      })),
    }
  },
}

function seriesName({ component, machine }: Word, byMachine: boolean): string {
  return byMachine ? (machine ?? component) : component
}

/** A recorded series with what its labels shall be; values are quoted as PromQL wants it. */
function narrowed(series: string, labels: Record<string, string | undefined>): string {
  const matchers = Object.entries(labels).flatMap(([label, text]) =>
    text === undefined ? [] : [`${label}=${JSON.stringify(text)}`],
  )
  if (matchers.length === 0) return series
  return series.endsWith('}') ? `${series.slice(0, -1)},${matchers.join(',')}}` : `${series}{${matchers.join(',')}}`
}

/** `up{job="node"}` */
function selector({ __name__: name = '', ...labels }: Record<string, string>): string {
  const matchers = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`)
  return matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`
}

function instant(context: Context, expression: string): Promise<Series[]> {
  return asked(context, (node) => queryPrometheus(context.reach, node, expression))
}

function over(context: Context, expression: string, query: JsonObject): Promise<Series[]> {
  const range = rangeOf(query)
  if (!range) return instant(context, expression)
  return asked(context, (node) => queryPrometheusRange(context.reach, node, expression, range))
}

function unknownMetric(found: string): KitbagError {
  const allowed = words.map(({ name }) => name)
  const near = nearest(found, allowed)
  return new KitbagError('not-found', `there is no metric ${found}`, {
    problems: [{ path: 'metric', message: 'unknown word', found, allowed, ...(near && { nearest: near }) }],
    fix: 'Ask for one of these, or in PromQL: kitbag metrics query.',
  })
}

export const metricRoutes: Route[] = [currentRoute, metricRoute, queryRoute, targetsRoute]
