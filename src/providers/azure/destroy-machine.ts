import type { VirtualMachine } from '@azure/arm-compute'
import { type Azure, lookAgain } from './azure.ts'
import { found } from './failures.ts'
import { parseMachineId, readTags } from './names.ts'

/**
 * Removes a machine with its disk, network interface and own address, which Azure takes along; where it did not, or the machine was never
 * started, they are removed by name. What is not this installation's is left alone.
 */
export async function destroyMachine(
  azure: Azure,
  readVm: (id: string) => Promise<VirtualMachine | undefined>,
  id: string,
): Promise<void> {
  const names = parseMachineId(azure, id)
  if (!names) return
  const { compute, network, installation, addresses } = azure
  const { group } = names
  const own = [names.address, ...(azure.settings.ipv6 ? [names.address6] : [])]
  const isOurs = ({ tags }: { tags?: Record<string, string> }) => readTags(tags)?.installation === installation
  const vm = await readVm(id)
  if (vm && !isOurs(vm)) return
  if (vm) await found(() => compute.virtualMachines.delete(group, names.vm, lookAgain).pollUntilDone())
  const nic = await found(() => network.networkInterfaces.get(group, names.nic))
  if (nic && isOurs(nic)) await found(() => network.networkInterfaces.beginDeleteAndWait(group, names.nic, lookAgain))
  if (azure.settings.publicAddresses && (nic || !vm)) {
    for (const name of own) {
      const address = await found(() => network.publicIPAddresses.get(group, name))
      if (address && isOurs(address))
        await found(() => network.publicIPAddresses.beginDeleteAndWait(group, name, lookAgain))
    }
  }
  for (const known of addresses.keys())
    if (own.some((name) => known.endsWith(`/${name.toLowerCase()}`))) addresses.delete(known)
}
