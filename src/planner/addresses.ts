import { type Address, type MachineRecord, preferredAddress } from '../model/machine.ts'

/**
 * Where machines at a cloud find another machine: at their own cloud by its private address before a public one, at another the other way
 * round. `from`: the id of their cloud; absent: the machine's own.
 */
export function addressFrom(
  { cloudId, addresses }: Pick<MachineRecord, 'cloudId' | 'addresses'>,
  from: string = cloudId,
): Address | undefined {
  const open = addresses.filter(({ scope }) => scope === 'public')
  return (from === cloudId ? undefined : preferredAddress(open)) ?? preferredAddress(addresses)
}
