import type { MachineAccess } from '../../src/model/machine.ts'
import type { Reach } from '../../src/model/reach.ts'
import { runScript } from './fleet.ts'

/** Ticks of a second that /proc counts in (`getconf CLK_TCK`). */
const ticks = 100

/** Seconds of CPU that processes of these names have used since they began. Unlike a rate, it says the same on a busy box. */
export async function cpuTime(reach: Reach, machine: MachineAccess, names: string[]): Promise<number> {
  const script = `for pid in $(pidof ${names.join(' ')}); do cut -d ' ' -f 14,15 /proc/$pid/stat; done`
  const numbers = (await runScript(reach, machine, script)).trim().split(/\s+/).map(Number)
  return numbers.reduce((sum, number) => sum + number, 0) / ticks
}
