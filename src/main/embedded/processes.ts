import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { sleep } from '../../lib/clock.ts'

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Whether a process has this number; one that ended and was not reaped has it still. */
export function isNumberTaken(pid: number): boolean {
  return statOf(pid) !== undefined
}

/** When a process began, in the kernel's own ticks: with the pid it names one process for good. undefined: there is none. */
export function startOf(pid: number): string | undefined {
  return isAlive(pid) ? statOf(pid)?.[19] : undefined
}

/** Fields of /proc/PID/stat after the name, which may hold blanks and brackets. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/**
 * Processes with this program name whose arguments hold `option` followed by `value`: so only what was started for one folder. Children that
 * they forked have the same arguments until they give themselves a title, and are none of these.
 */
export function findProcesses(program: string, option: string, value: string): number[] {
  const found = pids().filter((pid) => {
    const [first = '', ...args] = argumentsOf(pid)
    const named = first === program || first.endsWith(`/${program}`)
    return named && args.some((arg, at) => arg === option && args[at + 1] === value) && isAlive(pid)
  })
  return found.filter((pid) => !found.includes(parentOf(pid)))
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1])
}

/** Processes that work in a folder: a server's own children change to its data folder. */
export function findProcessesIn(folder: string): number[] {
  return pids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder && isAlive(pid)
    } catch {
      return false
    }
  })
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** Sends the signals one after the other, each with its milliseconds to end in, until the process is gone. SIGKILL comes last. */
export async function endProcess(pid: number, signals: [NodeJS.Signals, number][]): Promise<void> {
  const start = startOf(pid)
  for (const [signal, patience] of [...signals, ['SIGKILL', 5_000] as const]) {
    if (start === undefined || startOf(pid) !== start) return
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    for (const until = Date.now() + patience; Date.now() < until && startOf(pid) === start; ) await sleep(20)
  }
}
