import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import type { Bench, Family } from '../support/bench.ts'
import { historyLengths } from '../support/histories.ts'
import { median, seconds } from '../support/measure.ts'
import { memoryOf, peakDuring, total } from '../support/memory.ts'
import { destroy, type Operation, startPlane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'
import { say } from '../support/say.ts'

const rounds = 3
const name = 'two-hundred'

async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const plane = await startPlane(bench.cleanup)
  await plane.kitbag(['cloud', 'add', 'pretended', '--provider', 'fake'])
  const times: number[] = []
  const events: number[] = []
  const peaks: number[] = []
  const before = total(memoryOf(plane.pid))
  for (let round = 0; round < rounds; round++) {
    bench.signal.throwIfAborted()
    let id = ''
    const peak = await peakDuring(plane.pid, async () => {
      const deploy = ['deploy', join(root, 'bench/two-hundred.yaml'), '--cloud', 'pretended']
      times.push(
        await seconds(async () => {
          id = ((await plane.kitbag(deploy)) as Operation).id
        }),
      )
    })
    peaks.push(peak)
    const { machines } = (await plane.kitbag(['show', name])) as { machines: { status: string }[] }
    const ready = machines.filter(({ status }) => status === 'ready').length
    if (ready !== 200) throw new Error(`${ready} machines are ready, not 200`)
    events.push(...(await historyLengths(plane.home, id)))
    say(
      `   ${round + 1} of ${rounds}: ${times.at(-1)?.toFixed(1)} s, peak ${peak.toFixed(0)} MB, events ${events.join(' ')}`,
    )
    await destroy(plane, name)
  }
  const peak = `${Math.max(...peaks).toFixed(0)} MB at the peak, ${before.toFixed(0)} MB before`
  return [
    { value: median(times), detail: `command to end, ${rounds} times; memory ${peak}` },
    { value: Math.max(...events), detail: `the longest of ${events.length} runs of ${rounds} deployments` },
  ]
}

export const twoHundred: Family = {
  name,
  rows: [
    { name, what: 'one deployment of 200 machines on `fake`', unit: 's', bar: { atMost: 60 } },
    { name: 'history-200', what: 'its history: most events in a run', unit: 'events', bar: { atMost: 4095 } },
  ],
  run,
}
