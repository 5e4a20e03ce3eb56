import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import { type Chain, fourMachines, guestbookMachines, installByHand } from '../floors/install-by-hand.ts'
import type { Bench, Family } from '../support/bench.ts'
import { createFleet } from '../support/fleet.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { destroy } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 5

/** A whole deploy by the command line, from nothing to healthy, against boot and the same installs by hand. */
async function compare(bench: Bench, blueprint: string, chains: Chain[]): Promise<Measured> {
  const plane = await bench.plane()
  const fleet = await createFleet(bench)
  const taken = await interleaved(rounds, {
    'by hand': () => installByHand(fleet, chains),
    kitbag: async () => {
      bench.signal.throwIfAborted()
      const deploy = ['deploy', join(root, blueprint), '--name', 'first', '--cloud', 'home']
      const time = await seconds(() => plane.kitbag(deploy))
      await destroy(plane, 'first')
      return time
    },
  })
  const { kitbag, 'by hand': floor } = taken
  return {
    value: kitbag / floor,
    detail: `${kitbag.toFixed(1)} s, command to healthy, against ${floor.toFixed(1)} s, ${rounds} pairs`,
  }
}

export const firstDeploys: Family[] = [
  {
    name: 'four-machines',
    rows: [
      {
        name: 'four-machines',
        what: 'load balancer, 2 nginx and PostgreSQL on four machines, against boot and the same installs by hand in parallel',
        unit: 'x',
        bar: { atMost: 1.1 },
      },
    ],
    run: async (bench) => [await compare(bench, 'bench/four-machines.yaml', fourMachines)],
  },
  {
    name: 'guestbook',
    rows: [
      {
        name: 'guestbook',
        what: 'whole first deploy of examples/guestbook, against boot and the slowest chain of installs by hand',
        unit: 'x',
        bar: { atMost: 1.15 },
      },
    ],
    run: async (bench) => [await compare(bench, 'examples/guestbook/blueprint.yaml', guestbookMachines)],
  },
]
