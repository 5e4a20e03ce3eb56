import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { root } from '../../demo/paths.ts'
import { describeBlueprint, readBlueprint } from '../../src/cli/blueprint-file.ts'
import type { Bench, Family } from '../support/bench.ts'
import { inTurns, seconds } from '../support/measure.ts'
import { operate, startPlane } from '../support/plane.ts'
import { processorShare } from '../support/processor.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const deployments = 200

/** Seconds until what came with the deploys is over, and seconds that are measured. */
const settle = 60
const measured = 90

const shareText = (share: Record<string, number>) =>
  Object.entries(share)
    .filter(([, percent]) => percent >= 0.1)
    .sort(([, a], [, b]) => b - a)
    .map(([program, percent]) => `${program} ${percent.toFixed(1)}`)
    .join(', ')

const sum = (share: Record<string, number>) => Object.values(share).reduce((all, one) => all + one, 0)

async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const plane = await startPlane(bench.cleanup)
  await plane.kitbag(['cloud', 'add', 'pretended', '--provider', 'fake'])
  await pause(settle * 500, undefined, { signal: bench.signal })
  const idle = await processorShare(plane.pid, measured / 3, bench.signal)
  say(`   without deployments: ${sum(idle).toFixed(1)} %: ${shareText(idle)}`)
  const deploy = {
    kind: 'deploy',
    ...(await describeBlueprint(plane.client, await readBlueprint(join(root, 'bench/watchers.yaml')), {
      cloud: 'pretended',
    })),
  }
  const took = await seconds(() =>
    inTurns(deployments, (index) => {
      bench.signal.throwIfAborted()
      return operate(plane, `watched-${index}`, deploy)
    }),
  )
  say(`   ${deployments} deployments in ${took.toFixed(0)} s`)
  await pause(settle * 1000, undefined, { signal: bench.signal })
  const share = await processorShare(plane.pid, measured, bench.signal)
  const looked = await Promise.all(
    [0, deployments - 1].map((index) =>
      plane.client.json<{ decisions: unknown[] }>(
        'GET',
        `/v1/deployments/watched-${index}/autoscalers/autoscaler-web/decisions`,
      ),
    ),
  )
  return [
    {
      value: sum(share),
      holds: looked.every(({ decisions }) => decisions.length > 0),
      detail: `${shareText(share)}; without deployments ${sum(idle).toFixed(1)} %`,
    },
  ]
}

export const watchers: Family = {
  name: 'watchers',
  rows: [
    {
      name: 'watchers',
      what: '200 autoscalers and 200 healers with nothing to do: processor time of all processes',
      unit: '%',
      bar: { atMost: 25 },
    },
  ],
  run,
}
