import { blueprint, changedGuestbook } from '../../demo/guestbook.ts'
import type { Bench, Family } from '../support/bench.ts'
import { median, seconds } from '../support/measure.ts'
import { deployGuestbook } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'
import { watchReleases } from '../support/watch-releases.ts'

const rounds = 5

async function run(bench: Bench): Promise<Measured[]> {
  const { plane, url } = await deployGuestbook(bench, 'redeploy')
  const deploy = (file: string) => plane.kitbag(['deploy', file, '--name', 'redeploy'])

  const unchanged: number[] = []
  for (let round = 0; round < rounds; round++) unchanged.push(await seconds(() => deploy(blueprint)))

  const changes: number[] = []
  for (let round = 0; round < rounds; round++) {
    bench.signal.throwIfAborted()
    const release = `bench-${round}`
    const changed = changedGuestbook(release)
    const watch = watchReleases(url)
    const start = Date.now()
    try {
      await deploy(changed.blueprint)
      const served = await watch.servedBy(release, ['web-1', 'web-2'])
      changes.push((served - start) / 1_000)
    } finally {
      await watch.stop()
      changed.remove()
    }
    say(`   change ${round + 1} of ${rounds}: ${changes.at(-1)?.toFixed(2)} s`)
  }
  return [
    { value: median(unchanged), detail: `${rounds} times, command to end` },
    {
      value: median(changes),
      detail: `${rounds} changes, command to the answer of the second machine; the drain was not used up`,
    },
  ]
}

export const redeploy: Family = {
  name: 'redeploy',
  rows: [
    {
      name: 'unchanged',
      what: '`deploy` of the guestbook again with nothing changed',
      unit: 's',
      bar: { atMost: 1.5 },
    },
    {
      name: 'one-line-change',
      what: 'one-line change of the application: `deploy` to both machines serving it, without the drain',
      unit: 's',
      bar: { atMost: 5 },
    },
  ],
  run,
}
