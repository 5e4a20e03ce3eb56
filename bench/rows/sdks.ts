import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startControlPlane } from '../../demo/control-plane.ts'
import { root } from '../../demo/paths.ts'
import { withoutSdks } from '../../test/support/without-sdks.ts'
import type { Bench, Family } from '../support/bench.ts'
import { benchFolder } from '../support/folder.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { memoryAtRest, memoryText, total } from '../support/memory.ts'
import { freshHome } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 60
const memoryRounds = 2

/** The program as it is against a copy that finds no SDK of a cloud. */
async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const folder = mkdtempSync(`${benchFolder()}/without-sdks-`)
  bench.cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const programs = { whole: join(root, 'bin/kitbag'), without: withoutSdks(folder) }

  const help = (program: string) => async () => {
    bench.signal.throwIfAborted()
    return seconds(async () => void execFileSync(program, ['--help']))
  }
  const taken = await interleaved(rounds, { whole: help(programs.whole), without: help(programs.without) })

  const used = { whole: [] as number[], without: [] as number[] }
  const texts: string[] = []
  for (let round = 0; round < memoryRounds; round++)
    for (const which of ['whole', 'without'] as const) {
      const home = freshHome(bench.cleanup)
      const plane = await startControlPlane(home, programs[which])
      bench.cleanup.add('control plane', () => plane.stop())
      const { pid } = JSON.parse(readFileSync(join(home, 'control-plane.json'), 'utf8')) as { pid: number }
      const memory = await memoryAtRest(pid, bench.signal)
      await plane.stop()
      used[which].push(total(memory))
      texts.push(`${which} ${memoryText(memory)}`)
    }
  const least = (values: number[]) => Math.min(...values)
  return [
    {
      value: taken.whole / taken.without,
      detail: `${(taken.whole * 1_000).toFixed(0)} ms against ${(taken.without * 1_000).toFixed(0)} ms, ${rounds} pairs`,
    },
    { value: least(used.whole) / least(used.without), detail: texts.join('; ') },
  ]
}

export const sdks: Family = {
  name: 'sdks',
  rows: [
    {
      name: 'help-start',
      what: '`kitbag --help` against the same where no SDK of a cloud is installed',
      unit: 'x',
      bar: { atMost: 1.05 },
    },
    {
      name: 'sdk-memory',
      what: 'memory of the control plane with no cloud used, against the same without them',
      unit: 'x',
      bar: { atMost: 1.05 },
    },
  ],
  run,
}
