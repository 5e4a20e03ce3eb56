import { startLoad } from '../load.ts'
import type { Bench, Family } from '../support/bench.ts'
import { deployGuestbook, type Plane } from '../support/plane.ts'
import type { Measured, RowSpec } from '../support/row.ts'
import { say } from '../support/say.ts'

const name = 'scaling'
const connections = 50

/** Requests under way while machines are added alone, and while they are removed alone. */
const least = 50_000

interface Count {
  operations: number
  total: number
  failed: number
}

/** Adds and removes a machine in turn under one unbroken load, until each has seen enough requests. */
async function underLoad(bench: Bench, plane: Plane, url: string): Promise<Record<'out' | 'in', Count>> {
  const load = startLoad(`${url}/ping`, { connections, keepAlive: true })
  bench.cleanup.add('load', async () => void (await load.stop()))
  const counts = { out: { operations: 0, total: 0, failed: 0 }, in: { operations: 0, total: 0, failed: 0 } }
  const during = async (count: Count, web: number) => {
    bench.signal.throwIfAborted()
    const { total, failed } = load.result
    await plane.kitbag(['scale', name, `web=${web}`])
    count.operations++
    count.total += load.result.total - total
    count.failed += load.result.failed - failed
  }
  while (Math.min(counts.out.total, counts.in.total) < least) {
    await during(counts.out, 3)
    await during(counts.in, 2)
    say(`   ${counts.out.total} requests while machines were added, ${counts.in.total} while they were removed`)
  }
  const { failed, failures } = await load.stop()
  const known = counts.out.failed + counts.in.failed
  counts.in.failed += failed - known
  if (failed > 0) say(`   failed requests: ${JSON.stringify(failures)}`)
  return counts
}

async function run(bench: Bench): Promise<Measured[]> {
  const { plane, url } = await deployGuestbook(bench, name)
  const counts = await underLoad(bench, plane, url)
  return [counts.out, counts.in].map(({ operations, total, failed }) => ({
    value: failed,
    holds: total >= least,
    detail: `${failed} of ${total} requests failed while ${operations} of them ran, ${connections} connections`,
  }))
}

const row = (what: string, does: string): RowSpec => ({
  name: `scale-${what}`,
  what: `a web machine of the guestbook is ${does} under ${connections} connections: failed of at least 50,000 requests`,
  unit: 'failed',
  bar: { atMost: 0 },
})

export const scaling: Family = { name, rows: [row('out', 'added'), row('in', 'removed')], run }
