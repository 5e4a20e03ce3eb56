import { startControlPlane } from '../../demo/control-plane.ts'
import type { Bench, Family } from '../support/bench.ts'
import { median } from '../support/measure.ts'
import { freshHome } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 5

async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const home = freshHome(bench.cleanup)
  const start = async () => {
    bench.signal.throwIfAborted()
    const begun = performance.now()
    const plane = await startControlPlane(home)
    const taken = (performance.now() - begun) / 1_000
    bench.cleanup.add('control plane', () => plane.stop())
    await plane.stop()
    return taken
  }
  const first = await start()
  const later: number[] = []
  for (let round = 0; round < rounds; round++) later.push(await start())
  return [
    {
      value: median(later),
      detail: `${rounds} starts on a home that was there; its first start took ${first.toFixed(2)} s`,
    },
  ]
}

export const start: Family = {
  name: 'start',
  rows: [{ name: 'start', what: '`kitbag up` to its ready line, second start', unit: 's', bar: { atMost: 4 } }],
  run,
}
