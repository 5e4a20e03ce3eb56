import { toolkitBlueprint } from '../../demo/paths.ts'
import type { Bench, Family } from '../support/bench.ts'
import { changedShop } from '../support/changed-shop.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { destroy } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 3

async function run(bench: Bench): Promise<Measured[]> {
  const plane = await bench.plane()
  // The same application, the same database.
  const bare = changedShop(bench, (document) => void document.delete('toolkit'))
  const deploy = (file: string, name: string) => async () => {
    bench.signal.throwIfAborted()
    try {
      return await seconds(() => plane.kitbag(['deploy', file, '--name', name, '--cloud', 'home']))
    } finally {
      await destroy(plane, name)
    }
  }
  const taken = await interleaved(rounds, { bare: deploy(bare, 'bare'), shop: deploy(toolkitBlueprint, 'shop') })
  const detail = `${taken.shop.toFixed(1)} s with all of the toolkit (8 machines) against ${taken.bare.toFixed(1)} s without (3 machines), ${rounds} pairs`
  return [{ value: taken.shop / taken.bare, detail }]
}

export const toolkitOverhead: Family = {
  name: 'toolkit-overhead',
  rows: [
    {
      name: 'toolkit-overhead',
      what: 'whole first deploy of the shop with DNS x 2, load balancer x 2 and monitoring, against its application and database alone',
      unit: 'x',
      bar: { atMost: 1.2 },
    },
  ],
  run,
}
