import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readState } from '../../lib/state-file.ts'

/** A process by its id and its start time (clock ticks since boot), so that a reused id is not taken for it. */
export interface ProcessId {
  pid: number
  started: string
}

/** Reads `<pid> <start time>`; undefined when the file or that process is gone. */
export async function livingProcess(file: string): Promise<ProcessId | undefined> {
  const [pid = '', started = ''] = ((await readState(file)) ?? '').trim().split(' ')
  const process = { pid: Number(pid), started }
  return started !== '' && (await isAlive(process)) ? process : undefined
}

export async function isAlive({ pid, started }: ProcessId): Promise<boolean> {
  const status = await processStatus(pid)
  return status !== undefined && status.started === started && status.state !== 'Z' && status.state !== 'X'
}

async function processStatus(pid: number): Promise<{ state: string; started: string } | undefined> {
  const line = await readState(`/proc/${pid}/stat`).catch(() => undefined)
  // The second field is the command's name in parentheses and may hold blanks; the start time is field 22.
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ')
  return fields && { state: fields[0] ?? '', started: fields[19] ?? '' }
}

/** Kills without grace. What is gone already is fine. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits until `check` holds; false after `timeout` ms. */
export async function waitUntil(check: () => Promise<boolean>, timeout: number): Promise<boolean> {
  const end = Date.now() + timeout
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    if (await check()) return true
    if (Date.now() >= end) return false
    await sleep(pause)
  }
}

/** Processes whose environment holds `entry` (`NAME=value`), with their command's name and all of `marks` that it holds too. */
export async function processesWith(
  entry: string,
  marks: string[] = [],
): Promise<{ pid: number; name: string; marks: string[] }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readState(`/proc/${pid}/environ`).catch(() => undefined)
      const entries = new Set(environment?.split('\0'))
      if (!entries.has(entry)) return []
      const name = (await readState(`/proc/${pid}/comm`).catch(() => undefined))?.trim() ?? '?'
      return [{ pid: Number(pid), name, marks: marks.filter((mark) => entries.has(mark)) }]
    }),
  )
  return found.flat()
}
