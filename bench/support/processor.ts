import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { attempt, tree } from './memory.ts'

/** Per second; what /proc counts in. */
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Seconds of processor time by the name of the program, of a process and all below it, its ended children included. */
function processorSeconds(root: number): Record<string, number> {
  const seconds: Record<string, number> = {}
  for (const pid of tree(root)) {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    if (!stat) continue
    const program = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    // utime, stime, cutime, cstime: proc_pid_stat(5)
    const times = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
    seconds[program] = (seconds[program] ?? 0) + times.reduce((sum, time) => sum + Number(time), 0) / ticks
  }
  return seconds
}

/** Processor time that a process and all below it take in so many seconds, in percent of one core, by program. */
export async function processorShare(
  root: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const before = processorSeconds(root)
  const began = performance.now()
  await pause(seconds * 1000, undefined, { signal })
  const after = processorSeconds(root)
  const wall = (performance.now() - began) / 1000
  return Object.fromEntries(
    Object.entries(after).map(([program, time]) => [program, ((time - (before[program] ?? 0)) / wall) * 100]),
  )
}
