import { sh } from '../lib/sh.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { HostProgram } from '../model/program.ts'
import type { Reach } from '../model/reach.ts'

/** Asks a running program to end between two resources. Failing to ask is no error: the caller waits only so long anyway. */
export async function askToStop(reach: Reach, machine: MachineAccess, { nonce }: HostProgram): Promise<void> {
  const command = sh`mkdir -p -m 0700 /run/kitbag && : > ${stopFile(nonce)}`
  await reach.exec(machine, command, { root: true, urgent: true, timeout: 5_000 }).catch(() => {})
}

/** Removes the request, for a program that ended before it saw it. */
export async function withdrawStop(reach: Reach, machine: MachineAccess, { nonce }: HostProgram): Promise<void> {
  await reach.exec(machine, sh`rm -f ${stopFile(nonce)}`, { root: true, urgent: true, timeout: 5_000 }).catch(() => {})
}

function stopFile(nonce: string): string {
  return `/run/kitbag/stop.${nonce}`
}
