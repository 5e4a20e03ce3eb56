import { blueprint } from '../../demo/guestbook.ts'
import { describeBlueprint, readBlueprint } from '../../src/cli/blueprint-file.ts'
import type { Bench, Family } from '../support/bench.ts'
import { inTurns, seconds } from '../support/measure.ts'
import { memoryAtRest, memoryText, total } from '../support/memory.ts'
import { operate, startPlane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const deployments = 100
const operations = 1_000

async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const plane = await startPlane(bench.cleanup)
  await plane.kitbag(['cloud', 'add', 'pretended', '--provider', 'fake'])
  const rest = async (what: string) => {
    const found = await memoryAtRest(plane.pid, bench.signal)
    say(`   ${what}: ${memoryText(found)}`)
    return found
  }
  const idle = await rest('idle')

  const deploy = {
    kind: 'deploy',
    ...(await describeBlueprint(plane.client, await readBlueprint(blueprint), { cloud: 'pretended' })),
  }
  const nameOf = (index: number) => `guestbook-${index % deployments}`
  const deployed = await seconds(() => inTurns(deployments, (index) => operate(plane, nameOf(index), deploy)))
  const hundred = await rest(`${deployments} deployments (in ${deployed.toFixed(0)} s)`)

  const scale = (web: number) => ({ kind: 'scale', scale: { web } })
  const turns = [{ kind: 'check' }, scale(3), deploy, scale(2), { kind: 'rollback', release: 1 }]
  const operated = await seconds(() =>
    inTurns(operations, (index) => {
      bench.signal.throwIfAborted()
      const turn = turns[Math.floor(index / deployments) % turns.length]
      return operate(plane, nameOf(index), turn ?? deploy)
    }),
  )
  const later = await rest(`${operations} operations later (in ${operated.toFixed(0)} s)`)
  return [
    { value: total(idle), detail: memoryText(idle) },
    {
      value: total(hundred),
      detail: `${memoryText(hundred)}; guestbooks of 4 machines each on \`fake\`, deployed in ${deployed.toFixed(0)} s`,
    },
    {
      value: (total(later) / total(hundred) - 1) * 100,
      detail: `to ${memoryText(later)}; check, scale, deploy, scale, rollback in turn, in ${operated.toFixed(0)} s`,
    },
  ]
}

export const memory: Family = {
  name: 'memory',
  rows: [
    { name: 'memory-idle', what: 'memory of the control plane, all processes, idle', unit: 'MB', bar: { atMost: 390 } },
    { name: 'memory-100', what: 'the same after 100 deployments', unit: 'MB', bar: { atMost: 550 } },
    { name: 'memory-growth', what: 'its growth over the next 1,000 operations', unit: '%', bar: { atMost: 5 } },
  ],
  run,
}
