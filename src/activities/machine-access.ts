import { KitbagError } from '../model/errors.ts'
import { loginAddress, type MachineAccess, type MachineRecord } from '../model/machine.ts'

/** How to reach a machine that has an address. Throws `machine-unreachable` when it has none yet. */
export function machineAccess(machine: MachineRecord): MachineAccess {
  const access = tryMachineAccess(machine)
  if (access) return access
  throw new KitbagError('machine-unreachable', `${machine.name} has no address: it was never created to the end`, {
    machine: machine.name,
  })
}

export function tryMachineAccess(machine: MachineRecord): MachineAccess | undefined {
  const address = loginAddress(machine.addresses)?.address
  if (!address) return undefined
  const { id, name, user, sshPort: port, hostKey } = machine
  return { id, name, address, port, user, hostKey }
}
