import { readDocument } from '../../blueprints/document.ts'
import { parseDuration } from '../../lib/duration.ts'
import { hoursPerMonth } from '../../model/cost.ts'
import { KitbagError } from '../../model/errors.ts'
import {
  type Policy,
  type RecordedLoad,
  type Replay,
  type ReplayOptions,
  readLoad,
  readPolicy,
  replay,
} from '../../toolkit/autoscaler/replay.ts'
import { connect } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'
import { readTextFile } from '../read-file.ts'
import { recordedLoad } from '../recorded-load.ts'
import { costsFor, readCosts } from '../replay-costs.ts'

interface Options {
  json?: boolean
  policy?: string[]
  metrics?: string
  last?: string
  size?: string
  boot?: string
  price?: string
}

/** What policies would have done over recorded load, by the code that decides live. The same files give the same answer. */
export async function replayPolicies(deployment: string | undefined, options: Options): Promise<void> {
  const { policy: files = [] } = options
  if (files.length === 0) throw new KitbagError('invalid-request', 'a replay takes --policy FILE')
  const settings = settingsOf(options)
  const price = priceOf(options)
  const policies = await Promise.all(
    files.map(async (file) => readPolicy(readDocument(await readTextFile(file), file).value, file)),
  )
  const load = await loadFor(deployment, policies, options)
  const costs = deployment === undefined ? undefined : await readCosts(connect(), deployment)
  const replays = policies.map((policy, i) => {
    const { each, others } = costsFor(policy, costs)
    const cost = price === undefined ? each : price * hoursPerMonth
    return { policy: files[i] ?? '', ...replay(policy, load, { ...settings, cost, ...(others && { others }) }) }
  })
  if (options.json) return printJson(replays.map(presented))
  printSummary(replays)
  for (const { policy, sizes } of replays) {
    print('')
    print(policy)
    printTable(
      ['AT', 'MACHINES', ''],
      sizes.map(({ at, to, message }) => [new Date(at).toISOString(), to, message]),
    )
  }
}

/** From a file, or from the deployment's monitoring. */
async function loadFor(
  deployment: string | undefined,
  policies: Policy[],
  { metrics, last }: Options,
): Promise<RecordedLoad[]> {
  if (metrics !== undefined && last === undefined) return readLoad(await readTextFile(metrics), metrics)
  if (metrics === undefined && last !== undefined && deployment !== undefined)
    return recordedLoad(connect(), deployment, policies, last)
  throw new KitbagError('invalid-request', 'a replay takes --metrics FILE, or a deployment and --last 7d')
}

function settingsOf({ size, boot = '60s' }: Options): Pick<ReplayOptions, 'boot' | 'size'> {
  const bootTime = parseDuration(boot)
  if (bootTime === undefined) throw new KitbagError('invalid-request', `--boot ${boot}: must be a duration such as 60s`)
  if (size !== undefined && !/^\d{1,4}$/.test(size))
    throw new KitbagError('invalid-request', `--size ${size}: must be a number of machines`)
  return { boot: bootTime, ...(size !== undefined && { size: Number(size) }) }
}

function priceOf({ price }: Options): number | undefined {
  if (price === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(price)) return Number(price)
  throw new KitbagError('invalid-request', `--price ${price}: must be a number`)
}

type Named = Replay & { policy: string }

function presented({ sizes, ...rest }: Named) {
  return { ...rest, sizes: sizes.map(({ at, ...change }) => ({ at: new Date(at).toISOString(), ...change })) }
}

function printSummary(replays: Named[]): void {
  const share = ({ secondsOverTarget, seconds }: Replay) =>
    `${secondsOverTarget} of ${seconds} (${((secondsOverTarget / Math.max(1, seconds)) * 100).toFixed(1)} %)`
  const rows: [string, (one: Named) => string][] = [
    ['machine hours', ({ machineHours }) => machineHours.toFixed(2)],
    ['cost', ({ cost }) => (cost === null ? 'unknown' : cost.toFixed(2))],
    ['seconds over target', share],
    ['most machines', ({ largest }) => String(largest)],
    ['changes of size', ({ sizes }) => String(sizes.length)],
  ]
  printTable(
    ['', ...replays.map(({ policy }) => policy)],
    rows.map(([what, of]) => [what, ...replays.map(of)]),
  )
}
