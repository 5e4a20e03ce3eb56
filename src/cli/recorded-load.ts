import type { Client } from '../api/client.ts'
import { parseDuration } from '../lib/duration.ts'
import { KitbagError } from '../model/errors.ts'
import { columnOf, type Figure, figuresOf, type Policy, type RecordedLoad } from '../toolkit/autoscaler/replay.ts'
import { deploymentPath } from './connect.ts'

interface Samples {
  samples: { at: string; value: number | null }[]
}

/** Metric -> monitoring's word for it; what machines share it has as the share of one. */
const words: Record<string, { word: string; ofOne?: true }> = {
  'requests-per-second-per-machine': { word: 'requests-per-second' },
  'error-rate': { word: 'error-rate' },
  'latency-p95': { word: 'latency-p95' },
  cpu: { word: 'cpu', ofOne: true },
  memory: { word: 'memory', ofOne: true },
}

/** Values that monitoring is asked for, at most: Prometheus gives 11,000. */
const most = 10_000

/** What monitoring has recorded of the figures that policies go by. Throws `invalid-request` for one that it does not record. */
export async function recordedLoad(
  client: Client,
  deployment: string,
  policies: Policy[],
  last: string,
): Promise<RecordedLoad[]> {
  const time = parseDuration(last)
  if (time === undefined) throw new KitbagError('invalid-request', `--last ${last}: must be a duration such as 7d`)
  const base = await monitoringPath(client, deployment)
  // The same moments for every figure.
  const to = Date.now()
  const range = {
    from: new Date(to - time).toISOString(),
    to: new Date(to).toISOString(),
    step: `${Math.max(15, Math.ceil(time / most / 1000))}s`,
  }
  const ask = async (path: string, fields: Record<string, string>) => {
    const query = new URLSearchParams({ ...fields, ...range })
    const { series } = await client.json<{ series: Samples[] }>('GET', `${base}${path}?${query}`)
    return new Map((series[0]?.samples ?? []).map(({ at, value }) => [Date.parse(at), value]))
  }
  const rows = new Map<number, RecordedLoad>()
  for (const [component, figure] of figuresOfAll(policies)) {
    const { word, ofOne } = words[figure.name] ?? {}
    if (!figure.promql && word === undefined)
      throw new KitbagError(
        'invalid-request',
        `monitoring does not record ${figure.name}: replay it with --metrics FILE`,
      )
    const values = figure.promql
      ? await ask('/query', { query: figure.name })
      : await ask(`/metrics/${word}`, { component })
    const machines = ofOne && (await ask('/metrics/machines', { component }))
    for (const [at, value] of values) {
      const whole = value === null || !machines ? value : value * (machines.get(at) ?? Number.NaN)
      const row = rows.get(at) ?? { at, figures: {} }
      rows.set(at, row)
      if (whole !== null && !Number.isNaN(whole)) row.figures[columnOf(figure.name)] = whole
    }
  }
  if (rows.size < 2)
    throw new KitbagError('not-found', `monitoring has recorded nothing of ${deployment} in the last ${last}`)
  return [...rows.values()].sort((a, b) => a.at - b.at)
}

/** Each figure once, with its component. */
function figuresOfAll(policies: Policy[]): [string, Figure][] {
  const found = new Map<string, [string, Figure]>()
  for (const policy of policies)
    for (const figure of figuresOf(policy)) found.set(figure.name, [policy.component, figure])
  return [...found.values()]
}

async function monitoringPath(client: Client, deployment: string): Promise<string> {
  const { services } = await client.json<{ services: { name: string; kind: string }[] }>(
    'GET',
    deploymentPath(deployment),
  )
  const found = services.find(({ kind }) => kind === 'monitoring')
  if (found) return deploymentPath(deployment, `/monitoring/${found.name}`)
  throw new KitbagError('invalid-request', `${deployment} has no monitoring, which would have recorded its load`, {
    fix: 'Replay a file: --metrics FILE.',
  })
}
