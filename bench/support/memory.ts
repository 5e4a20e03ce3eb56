import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A process and everything below it. */
export function tree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, 'utf8'))
    if (stat) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const found = [root]
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child)
  return found
}

/** Processes come and go while they are looked at. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

interface Mapping {
  file: string
  /** KiB */
  rss: number
  pss: number
}

/** proc_pid_smaps(5) */
function mappings(pid: number): Mapping[] {
  const found: Mapping[] = []
  for (const line of (attempt(() => readFileSync(`/proc/${pid}/smaps`, 'utf8')) ?? '').split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/.exec(line)
    if (head) found.push({ file: head[1] ?? '', rss: 0, pss: 0 })
    const value = /^(Rss|Pss): +(\d+) kB$/.exec(line)
    const last = found.at(-1)
    if (value && last) last[value[1] === 'Rss' ? 'rss' : 'pss'] = Number(value[2])
  }
  return found
}

/** MB (10^6 bytes) by the name of the program. */
export type Memory = Record<string, number>

/**
 * What a process and all below it take: their proportional set sizes. A program's own code counts in full where only one of them runs
 * it, so that others of the same program on the box (this one is Node too) do not make it look small.
 */
export function memoryOf(root: number): Memory {
  const processes = tree(root).map((pid) => ({
    program: attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? '',
    parts: mappings(pid),
  }))
  const alone = (program: string) => processes.filter((other) => other.program === program).length === 1
  const memory: Memory = {}
  for (const { program, parts } of processes) {
    const full = alone(program)
    const kibibytes = parts.reduce((sum, { file, rss, pss }) => sum + (full && file === program ? rss : pss), 0)
    memory[basename(program)] = (memory[basename(program)] ?? 0) + (kibibytes * 1024) / 1e6
  }
  return memory
}

export function total(memory: Memory): number {
  return Object.values(memory).reduce((sum, one) => sum + one, 0)
}

/** `447 MB: node 220, temporal 180, postgres 47` */
export function memoryText(memory: Memory): string {
  const parts = Object.entries(memory)
    .filter(([, megabytes]) => megabytes >= 1)
    .sort(([, a], [, b]) => b - a)
  return `${total(memory).toFixed(0)} MB: ${parts.map(([name, megabytes]) => `${name} ${megabytes.toFixed(0)}`).join(', ')}`
}

/** Lets it come to rest for 30 s, then the middle one of the samples of 10 s. */
export async function memoryAtRest(root: number, signal: AbortSignal): Promise<Memory> {
  await pause(30_000, undefined, { signal })
  const samples: Memory[] = []
  while (samples.length < 21) {
    samples.push(memoryOf(root))
    await pause(500, undefined, { signal })
  }
  return samples.sort((a, b) => total(a) - total(b))[samples.length >> 1] ?? {}
}

/** Does the work; the highest memory meanwhile in MB, looked at twice a second. */
export async function peakDuring(root: number, work: () => Promise<void>): Promise<number> {
  let peak = total(memoryOf(root))
  const look = () => {
    peak = Math.max(peak, total(memoryOf(root)))
  }
  const timer = setInterval(look, 500)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  look()
  return peak
}
