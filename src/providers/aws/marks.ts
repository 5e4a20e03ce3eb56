import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeAddressesCommand,
  DescribeVolumesCommand,
  type Filter,
  type Instance,
  ModifyInstanceAttributeCommand,
} from '@aws-sdk/client-ec2'
import { KitbagError } from '../../model/errors.ts'
import type { FoundMachine, MachineMarks } from '../contract.ts'
import type { AwsCloud } from './connection.ts'
import type { Firewall } from './firewall.ts'
import { findGroups } from './groups.ts'
import { addressesOf, describeInstances, groupsOf, isInstanceId, statuses } from './instances.ts'
import { type Owner, readTag, tagNames } from './tags.ts'

/** States of instances that can be taken in, or at least be told of. */
const there = ['pending', 'running', 'stopping', 'stopped']

/** By tags, and the component's security group beside the machine's own. */
export function marks(cloud: AwsCloud, walls: Firewall): MachineMarks {
  return {
    async find(query) {
      if ('id' in query && !isInstanceId(query.id)) return []
      const which: Filter =
        'id' in query
          ? { Name: 'instance-id', Values: [query.id] }
          : { Name: `tag:${query.tag.name}`, Values: [query.tag.value] }
      const found = await describeInstances(cloud.ec2, [which, { Name: 'instance-state-name', Values: there }])
      return found.map((instance) => toFound(cloud, instance))
    },
    async refusal(id, owner) {
      const instance = await theInstance(cloud, id)
      const [place] = await walls.places(owner)
      if (!instance || !place || instance.VpcId === place.vpc) return undefined
      return `it is in the network ${instance.VpcId}, and this deployment's machines are in ${place.vpc}`
    },
    async put(id, { name, user, component, tags }) {
      const instance = await theInstance(cloud, id)
      if (!instance) throw new KitbagError('not-found', `aws: there is no instance ${id} (any more)`)
      const other = readTag(instance.Tags, 'machine')
      if (other !== '' && other !== tags.machine)
        throw new KitbagError('conflict', `aws: ${id} was taken in as ${readTag(instance.Tags, 'name')} just now`)
      const words = { ...tags, name, user, component, imported: 'true' }
      const own = Object.entries(words).map(([word, Value]) => ({ Key: tagNames[word as keyof typeof words], Value }))
      await cloud.ec2.change(new CreateTagsCommand({ Resources: [id], Tags: own }), { machine: name })
      const group = await walls.group(tags, component)
      await setGroups(cloud, instance, [...groupsOf(instance), group])
    },
  }
}

/**
 * Takes the tags off. One that somebody else made leaves Kitbag's groups, since it has its own; one that Kitbag made keeps them, and they
 * stay for it.
 */
export async function letGo(cloud: AwsCloud, id: string): Promise<void> {
  const { instances, installation } = cloud
  const instance = isInstanceId(id) ? await theInstance(cloud, id) : undefined
  if (!instance || readTag(instance.Tags, 'installation') !== installation) return
  const owner = { installation, deployment: readTag(instance.Tags, 'deployment') }
  const imported = readTag(instance.Tags, 'imported') === 'true'
  if (imported) await leaveGroups(cloud, instance, owner)
  await untag(cloud, [...(imported ? [] : await partsOf(cloud, id)), id])
  instances.ending(id)
}

/** Disks and static addresses of a machine that Kitbag made. */
async function partsOf({ ec2 }: AwsCloud, id: string): Promise<string[]> {
  const attached = [{ Name: 'attachment.instance-id', Values: [id] }]
  const associated = [{ Name: 'instance-id', Values: [id] }]
  const [{ Volumes = [] }, { Addresses = [] }] = await Promise.all([
    ec2.send(new DescribeVolumesCommand({ Filters: attached })),
    ec2.send(new DescribeAddressesCommand({ Filters: associated })),
  ])
  return [...Volumes.map(({ VolumeId }) => VolumeId), ...Addresses.map(({ AllocationId }) => AllocationId)].filter(
    (part) => part !== undefined,
  )
}

/** Everything that says that these are Kitbag's. */
export async function untag({ ec2 }: AwsCloud, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  const Tags = Object.values(tagNames).map((Key) => ({ Key }))
  await ec2.change(new DeleteTagsCommand({ Resources: ids, Tags }))
}

async function leaveGroups(cloud: AwsCloud, instance: Instance, owner: Owner): Promise<void> {
  const ours = new Set((await findGroups(cloud, owner)).map(({ GroupId }) => GroupId))
  const left = groupsOf(instance).filter((id) => !ours.has(id))
  if (left.length > 0) await setGroups(cloud, instance, left)
}

async function setGroups({ ec2 }: AwsCloud, instance: Instance, groups: string[]): Promise<void> {
  const wanted = [...new Set(groups)]
  const has = groupsOf(instance)
  if (wanted.length === has.length && wanted.every((id) => has.includes(id))) return
  await ec2.change(new ModifyInstanceAttributeCommand({ InstanceId: instance.InstanceId ?? '', Groups: wanted }))
}

async function theInstance({ ec2 }: AwsCloud, id: string): Promise<Instance | undefined> {
  const which = [
    { Name: 'instance-id', Values: [id] },
    { Name: 'instance-state-name', Values: there },
  ]
  return (await describeInstances(ec2, which))[0]
}

function toFound({ settings }: AwsCloud, instance: Instance): FoundMachine {
  const { InstanceId: id = '', Tags, State, InstanceType, ImageId, Placement } = instance
  const installation = readTag(Tags, 'installation')
  const tags = { installation, deployment: readTag(Tags, 'deployment'), machine: readTag(Tags, 'machine') }
  const zone = Placement?.AvailabilityZone
  return {
    id,
    name: Tags?.find(({ Key }) => Key === 'Name')?.Value ?? id,
    status: statuses[State?.Name ?? ''] ?? 'pending',
    addresses: addressesOf(instance, settings.reach),
    ...(installation !== '' && { tags }),
    ...(InstanceType && { size: InstanceType }),
    ...(ImageId && { image: ImageId }),
    region: settings.region,
    user: 'admin',
    ...(zone && { zone }),
  }
}
