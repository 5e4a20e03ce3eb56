import { createHash } from 'node:crypto'
import { type Instance, RunInstancesCommand, type RunInstancesRequest } from '@aws-sdk/client-ec2'
import { cloudConfig } from '../../lib/cloud-init.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ResolvedMachineSpec } from '../../model/machine.ts'
import type { CreateMachineRequest, MachineTags } from '../contract.ts'
import type { AwsCloud } from './connection.ts'
import { awsCode, capacityCodes } from './errors.ts'
import type { Firewall } from './firewall.ts'
import type { Market } from './market.ts'
import { diskGiB } from './sizes.ts'
import type { Place } from './subnets.ts'
import { tagged } from './tags.ts'

/** One way to get the machine; they are tried in this order while AWS has no room. */
interface Way {
  size: string
  place: Place
  spot: boolean
}

/** How often a token may have been used for a machine that has ended since. */
const mostLives = 20

/**
 * Asks EC2 for the machine of a token. Each way has a client token of its own, made from the machine's, so a call whose answer was
 * lost, or that is made again after a crash, gives the same machine. Where there are several ways, one that an earlier call got by
 * another way is looked for first.
 */
export async function createMachine(
  cloud: AwsCloud,
  parts: { market: Market; firewall: Firewall },
  request: CreateMachineRequest,
  { token, tags }: { token: string; tags: MachineTags },
): Promise<Instance> {
  const { spec, name } = request
  const images = (await parts.market.images()).filter(({ id }) => id === spec.image)
  // Two words may mean the same image, with other login users.
  const image = images.find(({ word }) => word === spec.requirements.image) ?? images[0]
  if (!image)
    throw new KitbagError('not-supported', `aws: the image ${spec.image} is not offered any more`, {
      machine: name,
      fix: 'Plan again, so that the plan pins an image of today.',
    })
  const [places, group] = [await parts.firewall.places(tags), await parts.firewall.group(tags, request.component)]
  const ways = waysOf(cloud, places, await parts.market.sizesFor(spec))
  if (ways.length === 0)
    throw new KitbagError('not-supported', `aws: there is no subnet in ${spec.zone} any more`, { machine: name })
  const words = { ...tags, component: request.component, name, user: image.user }
  if (ways.length > 1) {
    const found = await cloud.instances.ofMachine(tags.machine)
    if (found) return found
  }
  const common: RunInstancesRequest = {
    ImageId: spec.image,
    MinCount: 1,
    MaxCount: 1,
    UserData: Buffer.from(cloudConfig(request)).toString('base64'),
    BlockDeviceMappings: [{ DeviceName: image.rootDevice, Ebs: diskOf(cloud, request) }],
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 1 },
    InstanceInitiatedShutdownBehavior: 'stop',
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((type) => tagged(type, words, name)),
  }
  let full: unknown
  for (const way of ways) {
    try {
      return await run(cloud, name, tokenOf(token, spec, way), {
        ...common,
        ...wayOf(cloud, way, group),
      })
    } catch (error) {
      if (!capacityCodes.has(awsCode(error) ?? '')) throw error
      cloud.log('info', `aws: ${way.place.zone} has no ${way.spot ? 'spot ' : ''}capacity for ${way.size}`)
      full = error
    }
  }
  throw full
}

/** All zones of a size on spot, then on demand; then the next size. */
function waysOf({ settings }: AwsCloud, places: Place[], sizes: { size: string; zones: string[] }[]): Way[] {
  const buying = settings.spot ? [true, false] : [false]
  return sizes.flatMap(({ size, zones }) => {
    const inOrder = zones.flatMap((zone) => places.find((place) => place.zone === zone) ?? [])
    return buying.flatMap((spot) => inOrder.map((place) => ({ size, place, spot })))
  })
}

function tokenOf(token: string, spec: ResolvedMachineSpec, { size, place, spot }: Way): string {
  return [token, place.zone, spot, ...(size === spec.size ? [] : [size])].join('/')
}

function wayOf({ settings }: AwsCloud, { size, place, spot }: Way, group: string): Partial<RunInstancesRequest> {
  return {
    InstanceType: size as NonNullable<RunInstancesRequest['InstanceType']>,
    NetworkInterfaces: [
      {
        DeviceIndex: 0,
        SubnetId: place.subnet,
        Groups: [group, ...settings.securityGroups],
        AssociatePublicIpAddress: settings.publicAddresses,
        ...(settings.ipv6 && { Ipv6AddressCount: 1 }),
        DeleteOnTermination: true,
      },
    ],
    ...(spot && {
      InstanceMarketOptions: {
        MarketType: 'spot',
        SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
      },
    }),
  }
}

function diskOf({ settings }: AwsCloud, { spec }: CreateMachineRequest) {
  const { type, encrypted } = settings.disk
  return {
    VolumeSize: diskGiB(spec),
    VolumeType: type,
    Encrypted: encrypted,
    DeleteOnTermination: true,
  }
}

/** A token whose machine has ended is answered as such for an hour; the next life has the next token, the same for whoever asks. */
async function run(
  { ec2, instances }: AwsCloud,
  machine: string,
  token: string,
  request: RunInstancesRequest,
): Promise<Instance> {
  for (let life = 0; ; life++) {
    try {
      const ClientToken = createHash('sha256').update(`${token}/${life}`).digest('hex')
      const { Instances: [instance] = [] } = await ec2.change(new RunInstancesCommand({ ...request, ClientToken }), {
        machine,
      })
      const ended = instance?.State?.Name === 'terminated' || instance?.State?.Name === 'shutting-down'
      if (!instance?.InstanceId) throw noInstance(machine)
      if (!ended) {
        instances.made(instance)
        return instance
      }
    } catch (error) {
      if (awsCode(error) !== 'IdempotentInstanceTerminated') throw error
    }
    if (life >= mostLives)
      throw new KitbagError('provider-failed', `aws: ${mostLives} machines of one token have ended`)
  }
}

function noInstance(machine: string): KitbagError {
  return new KitbagError('provider-failed', `aws: RunInstances for ${machine} answered without an instance`, {
    machine,
    retryable: true,
  })
}
