import { loginAddress, type MachineAccess, type MachineRecord } from '../../model/machine.ts'

/** How to reach machines; those without an address are left out. */
export function accessTo(machines: MachineRecord[]): MachineAccess[] {
  return machines.flatMap(({ id, name, addresses, user, sshPort: port, hostKey }) => {
    const address = loginAddress(addresses)?.address
    return address === undefined ? [] : [{ id, name, address, port, user, hostKey }]
  })
}
