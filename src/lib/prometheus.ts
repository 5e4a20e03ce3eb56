import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import { httpOverReach } from './http-over-reach.ts'

/** Where Prometheus listens on its machine: loopback only. */
export const prometheusPort = 9090

/** One value at one time; `value` may be NaN or infinite, as Prometheus says it. */
export interface Sample {
  /** Milliseconds since 1970. */
  at: number
  value: number
}

export interface Series {
  labels: Record<string, string>
  /** In order of time; an instant query gives one. */
  samples: Sample[]
}

export interface QueryOptions {
  /** Milliseconds that an answer may take; default 5 s. */
  timeout?: number
  signal?: AbortSignal
}

export interface QueryRange {
  /** Milliseconds since 1970. */
  from: number
  to: number
  /** Milliseconds between two values. */
  step: number
}

interface Answer {
  error?: string
  data?: object
}

const notUnderstood = 'its answer is not understood, or longer than 1 MiB'

/**
 * The values of an expression now, over a channel to the machine's own Prometheus. Throws `invalid-request` with Prometheus' words for an
 * expression that it refuses, `service-failed` (retryable) when it does not answer, and what Reach throws.
 */
export async function queryPrometheus(
  reach: Reach,
  machine: MachineAccess,
  promql: string,
  options: QueryOptions = {},
): Promise<Series[]> {
  return seriesOf(machine, await askPrometheus(reach, machine, 'query', { query: promql }, options))
}

/** The values of an expression over a time. Throws as `queryPrometheus` does. */
export async function queryPrometheusRange(
  reach: Reach,
  machine: MachineAccess,
  promql: string,
  { from, to, step }: QueryRange,
  options: QueryOptions = {},
): Promise<Series[]> {
  const fields = { query: promql, start: seconds(from), end: seconds(to), step: seconds(step) }
  return seriesOf(machine, await askPrometheus(reach, machine, 'query_range', fields, options))
}

/** The one value of an expression now; undefined when no series answers. Of several series it is the first. Throws as `queryPrometheus` does. */
export async function latestValue(
  reach: Reach,
  machine: MachineAccess,
  promql: string,
  options: QueryOptions = {},
): Promise<Sample | undefined> {
  return (await queryPrometheus(reach, machine, promql, options))[0]?.samples[0]
}

function seconds(ms: number): string {
  return String(ms / 1000)
}

/** What Prometheus answers, not looked at any further. Throws as `queryPrometheus` does. */
export async function askPrometheus(
  reach: Reach,
  machine: MachineAccess,
  path: 'query' | 'query_range' | 'alerts',
  fields: Record<string, string>,
  { timeout = 5000, signal }: QueryOptions = {},
): Promise<object> {
  const { status, body } = await httpOverReach(reach, machine, {
    host: '127.0.0.1',
    port: prometheusPort,
    path: `/api/v1/${path}`,
    ...(path !== 'alerts' && {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    }),
    timeout,
    ...(signal && { signal }),
  })
  const answer = parsed(body)
  if (answer?.data && status === 200) return answer.data
  if (answer && (status === 400 || status === 422))
    throw new KitbagError('invalid-request', `Prometheus refuses the expression: ${answer.error}`, {
      problems: [{ path: 'query', message: answer.error ?? '', found: fields.query ?? '' }],
    })
  const what = answer?.error ?? (status === 200 ? notUnderstood : `it answered ${status}`)
  throw new KitbagError('service-failed', `Prometheus on ${machine.name}: ${what}`, {
    machine: machine.name,
    retryable: status !== 200,
  })
}

function parsed(body: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

type Pair = [number, string]

interface Row {
  metric: Record<string, string>
  value?: Pair
  values?: Pair[]
}

/** Throws `service-failed` for what is no answer to a query. */
function seriesOf(machine: MachineAccess, data: object): Series[] {
  const { resultType, result } = data as { resultType?: string; result?: unknown }
  if (resultType === 'scalar' || resultType === 'string') return [{ labels: {}, samples: [sampleOf(result as Pair)] }]
  if (!Array.isArray(result))
    throw new KitbagError('service-failed', `Prometheus on ${machine.name}: ${notUnderstood}`, {
      machine: machine.name,
    })
  return (result as Row[]).map(({ metric, value, values }) => ({
    labels: metric,
    samples: (values ?? (value ? [value] : [])).map(sampleOf),
  }))
}

function sampleOf([at, text]: Pair): Sample {
  return { at: Math.round(at * 1000), value: numberOf(text) }
}

/** As Prometheus writes numbers: `NaN`, `+Inf` and `-Inf` among them. */
function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}
