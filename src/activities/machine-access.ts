import { KitbagError } from '../model/errors.ts'
import { type MachineAccess, type MachineRecord, tryMachineAccess } from '../model/machine.ts'

/** How to reach a machine that has an address. Throws `machine-unreachable` when it has none yet. */
export function machineAccess(machine: MachineRecord): MachineAccess {
  const access = tryMachineAccess(machine)
  if (access) return access
  throw new KitbagError('machine-unreachable', `${machine.name} has no address: it was never created to the end`, {
    machine: machine.name,
  })
}
