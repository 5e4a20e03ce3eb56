import { startLoad } from '../load.ts'
import type { Bench, Family } from '../support/bench.ts'
import { deployGuestbook, type Plane } from '../support/plane.ts'
import type { Measured, RowSpec } from '../support/row.ts'
import { say } from '../support/say.ts'

const name = 'changes-under-load'
const connections = 50
/** Requests under way during each kind of change, per connection mode. */
const least = 50_000

interface Change {
  name: string
  what: string
  commands: (round: number) => string[][]
}

const changes: Change[] = [
  { name: 'scale-out', what: 'web from 2 to 3 machines', commands: () => [['scale', name, 'web=3']] },
  { name: 'scale-in', what: 'web from 3 to 2 machines', commands: () => [['scale', name, 'web=2']] },
  {
    name: 'lb-change',
    what: 'weights, and a server out of traffic and back',
    commands: (round) => [
      ['lb', 'set', name, 'web', 'web-1', '--set', `weight=${50 + (round % 50)}`],
      ['lb', 'drain', name, 'web', 'web-2'],
      ['lb', 'ready', name, 'web', 'web-2'],
    ],
  },
]

interface Count {
  changes: number
  total: number
  failed: number
}

/** Every change in turn under one unbroken load, until each has seen enough requests; nothing between two of them goes uncounted. */
async function underLoad(bench: Bench, plane: Plane, url: string, keepAlive: boolean): Promise<Count[]> {
  const load = startLoad(`${url}/ping`, { connections, keepAlive })
  bench.cleanup.add('load', async () => void (await load.stop()))
  const counts = changes.map((): Count => ({ changes: 0, total: 0, failed: 0 }))
  while (Math.min(...counts.map(({ total }) => total)) < least) {
    for (const [i, { commands }] of changes.entries()) {
      const count = counts[i] as Count
      // The last, which is short, as often as it takes; a round of the others each.
      do {
        bench.signal.throwIfAborted()
        const { total, failed } = load.result
        for (const command of commands(count.changes)) await plane.kitbag(command)
        count.changes++
        count.total += load.result.total - total
        count.failed += load.result.failed - failed
      } while (i === changes.length - 1 && count.total < Math.min(...counts.slice(0, i).map(({ total }) => total)))
    }
    say(`   keep-alive ${keepAlive ? 'yes' : 'no'}: ${counts.map(({ total }) => total).join(', ')} requests`)
  }
  const before = load.result.failed
  const { failures, failed } = await load.stop()
  const last = counts.at(-1)
  if (last) last.failed += failed - before
  if (failed > 0) say(`   failed requests: ${JSON.stringify(failures)}`)
  return counts
}

async function run(bench: Bench): Promise<Measured[]> {
  const { plane, url } = await deployGuestbook(bench, name)
  const rows: Measured[] = []
  for (const keepAlive of [true, false]) {
    for (const { changes: times, total, failed } of await underLoad(bench, plane, url, keepAlive)) {
      const detail = `${failed} of ${total} requests failed while it was done ${times} times, ${connections} connections`
      rows.push({ value: failed, holds: total >= least, detail })
    }
  }
  return rows
}

export const changesUnderLoad: Family = {
  name,
  rows: ['keep-alive', 'connection per request'].flatMap((mode) =>
    changes.map(
      ({ name: change, what }): RowSpec => ({
        name: `${change}-${mode.replace(/ /g, '-')}`,
        what: `${what} under ${connections} connections, ${mode}: failed of at least 50,000 requests`,
        unit: 'failed',
        bar: { atMost: 0 },
      }),
    ),
  ),
  run,
}
