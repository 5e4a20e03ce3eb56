import { toolkitBlueprint } from '../../demo/paths.ts'
import { installByHand, shopMachines } from '../floors/install-by-hand.ts'
import type { Bench, Family } from '../support/bench.ts'
import { createFleet } from '../support/fleet.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { destroy } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 3

async function run(bench: Bench): Promise<Measured[]> {
  const plane = await bench.plane()
  const fleet = await createFleet(bench)
  const taken = await interleaved(rounds, {
    'by hand': () => installByHand(fleet, shopMachines),
    shop: async () => {
      bench.signal.throwIfAborted()
      const deploy = ['deploy', toolkitBlueprint, '--name', 'shop', '--cloud', 'home']
      const time = await seconds(() => plane.kitbag(deploy))
      await destroy(plane, 'shop')
      return time
    },
  })
  const { shop, 'by hand': floor } = taken
  const detail = `${shop.toFixed(1)} s, command to end, against ${floor.toFixed(1)} s, ${rounds} pairs, 8 machines`
  return [{ value: shop / floor, detail }]
}

export const toolkitOverhead: Family = {
  name: 'toolkit-overhead',
  rows: [
    {
      name: 'toolkit-overhead',
      what: 'whole first deploy of the shop with DNS x 2, load balancer x 2 and monitoring, against boot and the slowest chain of the same installs by hand',
      unit: 'x',
      bar: { atMost: 1.2 },
    },
  ],
  run,
}
