import type { z } from 'zod'
import { retry } from '../../../src/lib/retry.ts'
import { ArmError, type Json } from './arm-error.ts'
import { machineSchema } from './machine-schema.ts'
import { ipConfigurations, networkInterfaces, publish } from './network-interfaces.ts'
import { images, ownImages, sizes } from './offers.ts'
import type { Cloud, PutBody, ResourceType } from './resource-type.ts'
import type { Resource } from './world.ts'

const virtualMachineType = 'Microsoft.Compute/virtualMachines'

type Machine = z.infer<typeof machineSchema> & { vmId: string; power?: 'starting' | 'running'; cut?: boolean }

export const disks: ResourceType = {
  type: 'Microsoft.Compute/disks',
  apiVersions: ['2025-01-02'],
  linked: () => [],
  make: () => ({}),
  inUse: { status: 409, code: 'OperationNotAllowed' },
  view: () => ({}),
}

export const virtualMachines: ResourceType = {
  type: virtualMachineType,
  apiVersions: ['2026-03-01'],
  linked: ({ properties }) =>
    ((properties?.networkProfile as Machine['networkProfile'] | undefined)?.networkInterfaces ?? []).map(({ id }) => ({
      id,
      action: 'Microsoft.Network/networkInterfaces/join/action',
    })),
  make(body, before, id, cloud) {
    const checked = machineSchema.safeParse(body.properties)
    if (!checked.success) {
      const { path, message } = checked.error.issues[0] ?? { path: [], message: '' }
      throw new ArmError(400, 'InvalidParameter', `The value of parameter ${path.join('.')} is invalid: ${message}`)
    }
    const machine = checked.data
    if (before) return changed(before, machine)
    const size = sizes.find((one) => one.id === machine.hardwareProfile.vmSize)
    if (!size)
      throw new ArmError(
        400,
        'InvalidParameter',
        `The value ${machine.hardwareProfile.vmSize} provided for the VM size is not valid.`,
      )
    checkPlace(body, machine, size, cloud)
    checkImage(machine, size.architecture)
    checkQuota(size.cpu, cloud)
    for (const { id: nic } of machine.networkProfile.networkInterfaces) checkInterface(nic, id, cloud)
    return { ...machine, vmId: crypto.randomUUID(), power: undefined }
  },
  async created(resource, cloud) {
    const machine = resource.properties as unknown as Machine
    const { faults, operationTime, behind } = cloud
    await new Promise((resolve) => setTimeout(resolve, operationTime))
    const zone = resource.zones?.[0] ?? ''
    const isFull = faults.fullZones.includes(zone) || faults.fullSizes.includes(machine.hardwareProfile.vmSize)
    if (isFull || (faults.noSpot && machine.priority === 'Spot')) {
      const code = zone === '' ? 'AllocationFailed' : 'ZonalAllocationFailed'
      return {
        code,
        message: `Allocation failed. We do not have sufficient capacity for the requested VM size in this ${zone === '' ? 'region' : 'zone'}.`,
      }
    }
    if (cloud.world.find(resource.id) !== resource)
      return { code: 'OperationPreempted', message: 'The operation has been preempted by a more recent operation.' }
    putDisk(resource, machine, cloud)
    if (faults.neverBoots !== undefined && resource.name.includes(faults.neverBoots)) {
      machine.power = 'starting'
      await new Promise((resolve) => setTimeout(resolve, 600_000).unref())
    }
    machine.power = 'running'
    if (behind) await behind.boot(bootOf(machine, cloud))
    await new Promise((resolve) => setTimeout(resolve, operationTime))
    return undefined
  },
  inUse: { status: 409, code: 'OperationNotAllowed' },
  async deleted(resource, cloud) {
    const { vmId } = resource.properties as unknown as Machine
    // A guest of a busy box may need longer to end than one call waits.
    await retry(() => cloud.behind?.end(vmId), { attempts: 5, delay: 1_000, retryable: () => true })
    removeTaken(resource, cloud)
    await publish(cloud)
  },
  view(resource, _cloud, expand) {
    const { power, vmId, osProfile, ...machine } = resource.properties as unknown as Machine
    const { customData: _, ...profile } = osProfile
    const seen = expand?.toLowerCase() === 'instanceview' ? { instanceView: instanceView(resource, power) } : {}
    return { ...machine, osProfile: { ...profile, secrets: [], allowExtensionOperations: true }, vmId, ...seen }
  },
}

function instanceView({ state, failure }: Resource, power: Machine['power']): Json {
  const provisioning = failure
    ? {
        code: `ProvisioningState/failed/${failure.code}`,
        level: 'Error',
        displayStatus: 'Provisioning failed',
        message: failure.message,
      }
    : { code: `ProvisioningState/${state.toLowerCase()}`, level: 'Info', displayStatus: state }
  const running = power ? [{ code: `PowerState/${power}`, level: 'Info', displayStatus: `VM ${power}` }] : []
  return { statuses: [provisioning, ...running] }
}

/** What cannot be changed once it is made. */
function changed(before: Resource, machine: z.infer<typeof machineSchema>): Json {
  const { osProfile, ...rest } = before.properties as unknown as Machine
  for (const key of ['customData', 'adminUsername', 'computerName'] as const) {
    if (osProfile[key] !== machine.osProfile[key])
      throw new ArmError(409, 'PropertyChangeNotAllowed', `Changing property 'osProfile.${key}' is not allowed.`)
  }
  return { ...rest, osProfile }
}

function checkPlace(
  body: PutBody,
  { priority }: z.infer<typeof machineSchema>,
  size: (typeof sizes)[number],
  { faults }: Cloud,
): void {
  const zone = body.zones?.[0]
  const restricted = size.restricted === 'all' || (zone !== undefined && size.restricted?.includes(zone))
  if (restricted || (zone !== undefined && !size.zones.includes(zone)))
    throw new ArmError(
      409,
      'SkuNotAvailable',
      `The requested VM size ${size.id} is currently not available in location, zone '${zone ?? ''}'.`,
    )
  if (priority === 'Spot' && faults.fullZones.includes('spot'))
    throw new ArmError(409, 'SkuNotAvailable', `The requested VM size for spot ${size.id} is currently not available.`)
}

function checkImage({ storageProfile }: z.infer<typeof machineSchema>, architecture: string): void {
  const { imageReference, osDisk } = storageProfile
  const own = 'id' in imageReference ? ownImages[imageReference.id] : undefined
  const image = 'id' in imageReference ? imageReference.id : imageReference.offer
  const least = own?.disk ?? 30
  if (osDisk.diskSizeGB !== undefined && osDisk.diskSizeGB < least)
    throw new ArmError(
      400,
      'OperationNotAllowed',
      `The specified disk size ${osDisk.diskSizeGB} GB is smaller than the size of the corresponding disk in the VM image ${image}: ${least} GB.`,
    )
  if ('id' in imageReference) {
    if (own) return
    throw new ArmError(404, 'NotFound', `The image ${imageReference.id} was not found.`)
  }
  const { publisher, offer, sku, version } = imageReference
  const versions = images[`${publisher}/${offer}/${sku}`.toLowerCase()]
  if (!versions?.includes(version) && version !== 'latest')
    throw new ArmError(
      404,
      'PlatformImageNotFound',
      `The platform image '${publisher}:${offer}:${sku}:${version}' is not available.`,
    )
  if (/arm64/.test(sku) !== (architecture === 'Arm64'))
    throw new ArmError(400, 'BadRequest', 'The selected VM size cannot boot an image of another architecture.')
}

export function coresUsed({ world }: Cloud): number {
  const sizeOf = ({ properties }: Resource) => (properties as unknown as Machine).hardwareProfile.vmSize
  return world
    .list(virtualMachineType)
    .reduce((sum, machine) => sum + (sizes.find(({ id }) => id === sizeOf(machine))?.cpu ?? 0), 0)
}

function checkQuota(cpu: number, cloud: Cloud): void {
  const used = coresUsed(cloud)
  if (used + cpu <= cloud.cores) return
  const figures = `Current Limit: ${cloud.cores}, Current Usage: ${used}, Additional Required: ${cpu}`
  throw new ArmError(
    409,
    'OperationNotAllowed',
    `Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - ${figures}.`,
  )
}

function checkInterface(id: string, machine: string, { world }: Cloud): void {
  const nic = world.find(id)
  if (!nic) throw new ArmError(404, 'NotFound', `Network interface ${id} was not found.`)
  if (nic.state === 'Updating')
    throw new ArmError(429, 'RetryableError', `A retryable error occurred: ${id} is still being updated.`, {
      'retry-after': '1',
    })
  const user = world
    .dependants(id)
    .find((one) => one.type === virtualMachineType && one.id.toLowerCase() !== machine.toLowerCase())
  if (user) throw new ArmError(400, 'NicInUse', `Network Interface ${id} is used by existing resource ${user.id}.`)
}

function putDisk(resource: Resource, { storageProfile: { imageReference, osDisk } }: Machine, { world }: Cloud): void {
  const { id, group, location } = resource
  const diskId = `${id.slice(0, id.indexOf('/providers/'))}/providers/Microsoft.Compute/disks/${osDisk.name}`
  const least = 'id' in imageReference ? ownImages[imageReference.id]?.disk : 30
  const properties = { diskSizeGB: osDisk.diskSizeGB ?? least }
  world.put({
    id: diskId,
    type: disks.type,
    name: osDisk.name,
    group,
    location,
    tags: {},
    etag: '',
    properties,
    state: 'Succeeded',
  })
}

/** What says `deleteOption: Delete` goes along: disk, interfaces, and the addresses of those. */
function removeTaken({ id, properties }: Resource, { world }: Cloud): void {
  const { storageProfile, networkProfile } = properties as unknown as Machine
  const { osDisk } = storageProfile
  if (osDisk.deleteOption === 'Delete')
    world.remove(`${id.slice(0, id.indexOf('/providers/'))}/providers/Microsoft.Compute/disks/${osDisk.name}`)
  for (const { id: nic, properties: own } of networkProfile.networkInterfaces) {
    if (own.deleteOption !== 'Delete') continue
    const found = world.find(nic)
    world.remove(nic)
    for (const {
      properties: { publicIPAddress },
    } of found ? ipConfigurations(found) : []) {
      if (publicIPAddress?.properties?.deleteOption === 'Delete') world.remove(publicIPAddress.id)
    }
  }
}

function bootOf(machine: Machine, { world }: Cloud) {
  const { hardwareProfile, osProfile, storageProfile, networkProfile, vmId } = machine
  const size = sizes.find(({ id }) => id === hardwareProfile.vmSize)
  const nic = world.find(networkProfile.networkInterfaces[0]?.id ?? '')
  const { imageReference } = storageProfile
  const [address = '', ipv6] =
    nic?.type === networkInterfaces.type
      ? ipConfigurations(nic).map(({ properties }) => properties.privateIPAddress)
      : []
  return {
    id: vmId,
    address,
    ...(ipv6 !== undefined && { ipv6 }),
    image: 'offer' in imageReference ? imageReference.offer : '',
    user: osProfile.adminUsername,
    userData: Buffer.from(osProfile.customData, 'base64').toString(),
    cpu: size?.cpu ?? 1,
    memory: (size?.memory ?? 1) * 2 ** 30,
  }
}
