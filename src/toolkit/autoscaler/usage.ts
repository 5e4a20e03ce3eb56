import type { MachineRecord } from '../../model/machine.ts'
import type { WatchContext } from '../contract.ts'
import type { Reading } from './decide.ts'

/** What a machine says of itself: microseconds of processor time since its start, bytes of memory in use. */
export interface Usage {
  cpu: number
  memory: number
}

/**
 * Where machines are containers, /proc tells of the whole box: so processor time is read from the machine's control group, and from
 * /proc/stat only where there is none; memory is that of its processes.
 */
const script = `
usage=$(sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat 2>/dev/null)
[ -n "$usage" ] || usage=$(awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 10000 }' /proc/stat)
echo "$usage"
cat /proc/[0-9]*/status 2>/dev/null | awk '/^Rss(Anon|Shmem):/ { sum += $2 } END { print sum * 1024 }'
`

/** Milliseconds that a machine has to answer. */
const patience = 5_000

/** One question to one machine. Throws what Reach throws, and an Error for an answer that is none. */
export async function usageOf({ reach, access, signal }: WatchContext<unknown>, row: MachineRecord): Promise<Usage> {
  const machine = access(row)
  if (!machine) throw new Error(`${row.name} has no address`)
  const { stdout } = await reach.exec(machine, script, { root: true, timeout: patience, signal })
  const [cpu, memory] = stdout.trim().split('\n').map(Number)
  if (!(cpu !== undefined && cpu >= 0 && memory !== undefined && memory > 0))
    throw new Error(`${row.name} does not say what it uses`)
  return { cpu, memory }
}

interface Remembered {
  at: number
  usage: Usage
}

/** Shares of processor and memory in use, summed up over machines. undefined: processor time is known from the next look on. */
export async function machineReadings(
  context: WatchContext<unknown>,
  rows: MachineRecord[],
  memo: Record<string, Remembered>,
): Promise<{ cpu: Reading | undefined; memory: Reading }> {
  const now = Date.now()
  const answers = await Promise.allSettled(rows.map((row) => usageOf(context, row)))
  const sums = { cpu: 0, memory: 0, known: 0 }
  for (const [i, row] of rows.entries()) {
    const answer = answers[i]
    if (answer?.status !== 'fulfilled') continue
    const usage = answer.value
    const before = memo[row.id]
    memo[row.id] = { at: now, usage }
    sums.memory += usage.memory / row.spec.requirements.memory
    // One that began anew counts from zero.
    if (!before || usage.cpu < before.usage.cpu) continue
    sums.known++
    sums.cpu += (usage.cpu - before.usage.cpu) / 1000 / Math.max(1, now - before.at) / row.spec.requirements.cpu
  }
  const failed = answers.find((answer) => answer.status === 'rejected')
  const problem = failed
    ? { problem: (failed.reason as Error).message }
    : rows.length === 0 && { problem: 'no machine is ready' }
  if (problem) return { cpu: problem, memory: problem }
  return {
    cpu: sums.known === 0 ? undefined : { value: (sums.cpu / sums.known) * rows.length, at: now },
    memory: { value: sums.memory, at: now },
  }
}
