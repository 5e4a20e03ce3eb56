import { type MachineAccess, type MachineRecord, tryMachineAccess } from '../../model/machine.ts'

/** How to reach machines; those without an address are left out. */
export function accessTo(machines: MachineRecord[]): MachineAccess[] {
  return machines.flatMap((machine) => tryMachineAccess(machine) ?? [])
}
