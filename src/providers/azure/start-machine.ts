import type { VirtualMachine } from '@azure/arm-compute'
import type { NetworkInterface } from '@azure/arm-network'
import { sleep } from '../../lib/clock.ts'
import { cloudConfig } from '../../lib/cloud-init.ts'
import { mostOtherSizes } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { CreateMachineRequest } from '../contract.ts'
import { type Azure, lookAgain } from './azure.ts'
import { capacityCodes, found, toKitbagError } from './failures.ts'
import { imageReference, isOfficial, smallestDisk } from './images.ts'
import { type MachineNames, readTags, tagKeys } from './names.ts'
import { suitable } from './offers.ts'
import type { Offers } from './resolve.ts'
import { isPlaced, provisioningFailure } from './state.ts'

/** Login user that Azure makes at the first boot. */
export const loginUser = 'kitbag'

/** Milliseconds until Azure has found room for a machine, or said that there is none. */
const allocation = 10 * 60_000

/** Milliseconds within which a machine that Azure has accepted can be read: its reads may be behind its writes. */
const appearance = 2 * 60_000

interface Choice {
  size: string
  zone?: string
  spot: boolean
}

interface Wanted {
  names: MachineNames
  tags: Record<string, string>
  /** Makes its network interface, unless there is one. A failed machine takes it along when it is removed. */
  attach(): Promise<NetworkInterface>
}

export interface Started {
  vm: VirtualMachine
  nic: NetworkInterface
}

/**
 * Starts the machine where there is room: on spot before on demand, then the next zone, then (where the settings let) the next size.
 * A machine that a former call left without room makes way for the next choice.
 */
export async function startMachine(
  azure: Azure,
  kept: Offers,
  request: CreateMachineRequest,
  wanted: Wanted,
): Promise<Started> {
  const choices = await choicesFor(azure, kept, request)
  let refusal: KitbagError | undefined
  for (let i = 0; i < choices.length; i++) {
    const choice = choices[i] as Choice
    try {
      const nic = await wanted.attach()
      const vm = await tryChoice(azure, request, wanted, nic, choice)
      const failure = provisioningFailure(vm)
      if (!failure) return { vm, nic }
      refusal = toKitbagError(failure, `create ${request.name} ${wordsOf(choice)}`)
      if (!isCapacity(failure.code, choice)) throw refusal
      await azure.compute.virtualMachines.delete(wanted.names.group, wanted.names.vm, lookAgain).pollUntilDone()
      const tried = choices.findIndex((one) => isMadeSo(vm, one))
      i = Math.max(i, tried)
    } catch (error) {
      refusal = toKitbagError(error, `create ${request.name} ${wordsOf(choice)}`)
      if (refusal.code !== 'capacity-exceeded' || !mayGoElsewhere(error, choice)) throw refusal
    }
  }
  throw refusal ?? new KitbagError('internal', `azure: ${request.name}: there is no size to try`)
}

async function choicesFor({ settings }: Azure, kept: Offers, { spec }: CreateMachineRequest): Promise<Choice[]> {
  const { size, zone, otherZones = [], requirements } = spec
  const zonesOfSpec = zone === undefined ? [undefined] : [zone, ...otherZones]
  const others = settings.otherSizes
    ? suitable(await kept.offers(), { settings }, requirements)
        .filter(({ id }) => id !== size)
        .slice(0, mostOtherSizes)
    : []
  const sizes = [
    { size, zones: zonesOfSpec },
    ...others.map(({ id, zones }) => ({ size: id, zones: zonesOfSpec.filter((one) => !one || zones.includes(one)) })),
  ]
  const kinds = settings.spot ? [true, false] : [false]
  return sizes.flatMap((one) =>
    kinds.flatMap((spot) => one.zones.map((place) => ({ size: one.size, spot, ...(place && { zone: place }) }))),
  )
}

/** Asks for the machine, unless there is one of the name, and waits until Azure has placed it or failed to. */
async function tryChoice(
  azure: Azure,
  request: CreateMachineRequest,
  { names, tags }: Wanted,
  nic: NetworkInterface,
  choice: Choice,
): Promise<VirtualMachine> {
  const { compute } = azure
  const parameters = machineOf(azure, request, { disk: names.disk, tags, nic: nic.id ?? '' }, choice)
  try {
    // Only the first answer counts here: a running machine does not wait until Azure's agent has reported.
    await compute.virtualMachines.createOrUpdate(names.group, names.vm, parameters, { ifNoneMatch: '*' }).submitted()
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 412) throw error
  }
  const asked = Date.now()
  for (let wait = 250, seen = false; ; wait = Math.min(wait * 1.6, 3_000)) {
    const vm = await found(() => compute.virtualMachines.get(names.group, names.vm, { expand: 'instanceView' }))
    if (vm && readTags(vm.tags)?.machine !== tags[tagKeys.machine]) throw strangers(names)
    if (vm && isPlaced(vm)) return vm
    if (!vm && (seen || Date.now() > asked + appearance))
      throw new KitbagError('provider-failed', `azure: ${request.name} was removed while it was being created`)
    if (Date.now() > asked + allocation) {
      throw new KitbagError(
        'provider-failed',
        `azure: ${request.name} found no place within ${allocation / 60_000} min`,
        { machine: request.name, fix: 'Deploy again; if that lasts, allow other zones or another size.' },
      )
    }
    seen ||= vm !== undefined
    await sleep(wait)
  }
}

function machineOf(
  { settings }: Azure,
  { name, spec, hostKey, authorizedKeys }: CreateMachineRequest,
  { disk, tags, nic }: { disk: string; tags: Record<string, string>; nic: string },
  { size, zone, spot }: Choice,
): VirtualMachine {
  const gibibytes = diskGiB(spec)
  return {
    location: settings.region,
    tags,
    ...(zone !== undefined && { zones: [zone] }),
    ...(spot && { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } }),
    hardwareProfile: { vmSize: size },
    storageProfile: {
      imageReference: imageReference(spec.image),
      osDisk: {
        name: disk,
        createOption: 'FromImage',
        deleteOption: 'Delete',
        ...(gibibytes !== undefined && { diskSizeGB: gibibytes }),
        managedDisk: { storageAccountType: settings.disk },
      },
    },
    osProfile: {
      computerName: name,
      adminUsername: loginUser,
      customData: Buffer.from(cloudConfig({ name, hostKey, authorizedKeys })).toString('base64'),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        provisionVMAgent: true,
        ssh: {
          publicKeys: authorizedKeys.map((keyData) => ({ path: `/home/${loginUser}/.ssh/authorized_keys`, keyData })),
        },
      },
    },
    networkProfile: { networkInterfaces: [{ id: nic, primary: true, deleteOption: 'Delete' }] },
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  }
}

/** undefined: as large as the own image that it is made from. */
function diskGiB({ image, requirements: { disk } }: CreateMachineRequest['spec']): number | undefined {
  const asked = isOfficial(image) ? Math.max(disk ?? 0, smallestDisk) : disk
  return asked === undefined ? undefined : Math.ceil(asked / 2 ** 30)
}

/** A quota of spot machines is one of its own; any other is not had more of elsewhere. */
function isCapacity(code: string, { spot }: Choice): boolean {
  return capacityCodes.includes(code) || (spot && code === 'QuotaExceeded')
}

function mayGoElsewhere(error: unknown, choice: Choice): boolean {
  const cause =
    error instanceof KitbagError ? (error.cause as { code?: string } | undefined) : (error as { code?: string })
  return (
    isCapacity(cause?.code ?? '', choice) ||
    (choice.spot && /\bspot\b|low ?priority/i.test(String((error as Error).message)))
  )
}

function isMadeSo({ hardwareProfile, zones, priority }: VirtualMachine, { size, zone, spot }: Choice): boolean {
  return hardwareProfile?.vmSize === size && zones?.[0] === zone && (priority === 'Spot') === spot
}

function wordsOf({ size, zone, spot }: Choice): string {
  return `as ${size}${spot ? ' on spot' : ''}${zone === undefined ? '' : ` in zone ${zone}`}`
}

function strangers({ group, vm }: MachineNames): KitbagError {
  return new KitbagError('provider-failed', `azure: ${group} has a machine ${vm} that is not this one`, {
    fix: 'See whose it is; it is left alone.',
  })
}
