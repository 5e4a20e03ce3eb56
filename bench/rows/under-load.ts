import { changedGuestbook } from '../../demo/guestbook.ts'
import { startLoad } from '../load.ts'
import type { Bench, Family } from '../support/bench.ts'
import { deployGuestbook, type Plane } from '../support/plane.ts'
import type { Measured, RowSpec } from '../support/row.ts'
import { say } from '../support/say.ts'

const name = 'under-load'
const connections = 50

/** Requests under way during updates alone, and during rollbacks alone, per connection mode. */
const least = 50_000

interface Count {
  operations: number
  total: number
  failed: number
}

/** Updates and rolls back in turn under one unbroken load, until each has seen enough requests; nothing between two of them goes uncounted. */
async function underLoad(
  bench: Bench,
  plane: Plane,
  url: string,
  changed: string,
  keepAlive: boolean,
): Promise<Count[]> {
  const load = startLoad(`${url}/ping`, { connections, keepAlive })
  bench.cleanup.add('load', async () => void (await load.stop()))
  const update: Count = { operations: 0, total: 0, failed: 0 }
  const rollback: Count = { ...update }
  const during = async (count: Count, command: string[]) => {
    bench.signal.throwIfAborted()
    const { total, failed } = load.result
    await plane.kitbag(command)
    count.operations++
    count.total += load.result.total - total
    count.failed += load.result.failed - failed
  }
  while (Math.min(update.total, rollback.total) < least) {
    await during(update, ['deploy', changed, '--name', name])
    await during(rollback, ['rollback', name, '1'])
    say(
      `   keep-alive ${keepAlive ? 'yes' : 'no'}: ${update.total} requests in updates, ${rollback.total} in rollbacks`,
    )
  }
  const before = load.result.failed
  const { failures, releases, failed } = await load.stop()
  rollback.failed += failed - before
  if (failed > 0) say(`   failed requests: ${JSON.stringify(failures)}`)
  for (const release of ['guestbook-1', 'guestbook-2']) {
    if (!releases[release]) throw new Error(`no answer came from release ${release}: ${JSON.stringify(releases)}`)
  }
  return [update, rollback]
}

async function run(bench: Bench): Promise<Measured[]> {
  const { plane, url } = await deployGuestbook(bench, name)
  const changed = changedGuestbook('guestbook-2')
  bench.cleanup.add('changed guestbook', changed.remove)
  const kept = await underLoad(bench, plane, url, changed.blueprint, true)
  const fresh = await underLoad(bench, plane, url, changed.blueprint, false)
  return [kept[0], fresh[0], kept[1], fresh[1]].map((count) => ({
    value: count?.failed ?? null,
    holds: (count?.total ?? 0) >= least,
    detail: `${count?.failed} of ${count?.total} requests failed while ${count?.operations} of them ran, ${connections} connections`,
  }))
}

function row(what: string, mode: string): RowSpec {
  return {
    name: `${what}-${mode.replace(/ /g, '-')}`,
    what: `${what} of the guestbook under ${connections} connections, ${mode}: failed of at least 50,000 requests`,
    unit: 'failed',
    bar: { atMost: 0 },
  }
}

export const underLoadFamily: Family = {
  name,
  rows: ['update', 'rollback'].flatMap((what) => [row(what, 'keep-alive'), row(what, 'connection per request')]),
  run,
}
