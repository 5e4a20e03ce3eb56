import type { VirtualMachine } from '@azure/arm-compute'
import type { ProviderMachine } from '../contract.ts'

/**
 * A machine that runs is running, though Azure's agent has not reported yet. Lists come without a power state: what was provisioned
 * there counts as running.
 */
export function statusOf({ provisioningState, instanceView }: VirtualMachine): ProviderMachine['status'] {
  if (provisioningState === 'Deleting') return 'gone'
  const power = instanceView?.statuses?.find(({ code }) => code?.startsWith('PowerState/'))?.code?.slice(11)
  if (power === 'running') return 'running'
  if (power !== undefined && power !== 'starting' && power !== 'unknown') return 'stopped'
  if (provisioningState === 'Failed') return 'stopped'
  return provisioningState === 'Succeeded' && instanceView === undefined ? 'running' : 'pending'
}

/** Azure has found room for it, or given up: a machine has a power state once it is somewhere. */
export function isPlaced({ provisioningState, instanceView }: VirtualMachine): boolean {
  const isSomewhere = instanceView?.statuses?.some(({ code }) => code?.startsWith('PowerState/')) ?? false
  return isSomewhere || (provisioningState !== 'Creating' && provisioningState !== 'Updating')
}

/** Why Azure could not make it: as an error that has Azure's code. undefined: it did not fail. */
export function provisioningFailure(vm: VirtualMachine): (Error & { code: string }) | undefined {
  if (vm.provisioningState !== 'Failed' || statusOf(vm) === 'running') return undefined
  const status = vm.instanceView?.statuses?.find(({ code }) => code?.startsWith('ProvisioningState/failed'))
  const code = status?.code?.split('/')[2] ?? 'Failed'
  return Object.assign(new Error(status?.message ?? 'Azure could not provision it'), { code })
}
