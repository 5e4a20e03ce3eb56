import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  type Address as ElasticIp,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2'
import { batched } from '../../lib/batched.ts'
import { inTurn } from '../../lib/in-turn.ts'
import { backoff, retry } from '../../lib/retry.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Address } from '../../model/machine.ts'
import type { StaticAddresses } from '../contract.ts'
import type { AwsCloud } from './connection.ts'
import { awsCode } from './errors.ts'
import { tolerating } from './groups.ts'
import { toMachine } from './instances.ts'
import { type Owner, readTag, tagFilters, tagged } from './tags.ts'

const lookAgain = { attempts: 10, delay: backoff(200, 10_000) }

/**
 * Elastic IPs. AWS has no token for AllocateAddress: each is found by its tags. Where AWS's lists did not have one yet, there are two of a
 * name: one is used, the others are given back as soon as they are seen.
 */
export function staticAddresses(cloud: AwsCloud): StaticAddresses {
  const { ec2, installation, instances, settings } = cloud
  /** Of each name one thing after the other. */
  const turn = inTurn()
  /** Allocated here, and perhaps not listed yet. */
  const made = new Map<string, ElasticIp>()
  const keyOf = ({ deployment }: Pick<Owner, 'deployment'>, name: string) => `${deployment} ${name}`

  const listed = batched(async (deployments) => {
    const all = await findAddresses(cloud, { installation })
    return new Map(deployments.map((id) => [id, all.filter(({ Tags }) => readTag(Tags, 'deployment') === id)] as const))
  })

  /** All of a name, the one to use first: that which a machine has, else the first. */
  async function find(owner: Owner, name: string): Promise<ElasticIp[]> {
    const own = ((await listed(owner.deployment)) ?? []).filter(({ Tags }) => readTag(Tags, 'address') === name)
    const recent = made.get(keyOf(owner, name))
    if (recent && !own.some(({ AllocationId }) => AllocationId === recent.AllocationId)) own.push(recent)
    const rank = ({ AssociationId, AllocationId = '' }: ElasticIp) => `${AssociationId ? 0 : 1} ${AllocationId}`
    return own.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  }

  async function ensure(owner: Owner, name: string): Promise<ElasticIp> {
    const [known, ...surplus] = await find(owner, name)
    for (const one of surplus) await giveBack(cloud, one)
    if (known) return known
    const words = { ...owner, address: name }
    const command = new AllocateAddressCommand({
      Domain: 'vpc',
      TagSpecifications: [tagged('elastic-ip', words, `kitbag-${owner.deployment}-${name}`)],
    })
    const { AllocationId, PublicIp } = await ec2.change(command, { machine: name, patience: 0 })
    if (!AllocationId || !PublicIp)
      throw new KitbagError('provider-failed', `aws: AllocateAddress for ${name} answered without an address`, {
        retryable: true,
      })
    made.set(keyOf(owner, name), { AllocationId, PublicIp })
    return { AllocationId, PublicIp }
  }

  async function assign(owner: Owner, name: string, machineId: string): Promise<Address[]> {
    // A call whose answer was lost is not made again before a look at what it did.
    const { AllocationId = '', PublicIp = '', InstanceId } = await retry(() => ensure(owner, name), lookAgain)
    if (InstanceId !== machineId) {
      const target = { AllocationId, InstanceId: machineId, AllowReassociation: true }
      await ec2.change(new AssociateAddressCommand(target))
      instances.ending(machineId)
      made.delete(keyOf(owner, name))
    }
    const machine = await instances.get(machineId)
    if (!machine) throw new KitbagError('provider-failed', `aws: ${machineId} is gone, so it gets no address`)
    // EC2's lists may still show the address that it had before.
    const { addresses } = toMachine({ ...machine, PublicIpAddress: PublicIp }, settings.reach)
    return addresses.map((one) => (one.address === PublicIp ? { ...one, static: true } : one))
  }

  return {
    assign: (owner, name, machineId) => turn(keyOf(owner, name), () => assign(owner, name, machineId)),
    async list(of) {
      const all = await findAddresses(cloud, { installation: of })
      return all.map(({ Tags, PublicIp: address = '' }) => ({
        deployment: readTag(Tags, 'deployment'),
        name: readTag(Tags, 'address'),
        address,
      }))
    },
    release: (owner, name) =>
      turn(keyOf(owner, name), async () => {
        for (const one of await find(owner, name)) await giveBack(cloud, one)
        made.delete(keyOf(owner, name))
      }),
  }
}

/** Gives back all of a deployment. */
export async function releaseAddresses(cloud: AwsCloud, owner: Owner): Promise<void> {
  if (!cloud.settings.publicAddresses) return
  for (const one of await findAddresses(cloud, owner)) await giveBack(cloud, one)
}

async function findAddresses(
  { ec2 }: AwsCloud,
  words: Pick<Owner, 'installation'> & Partial<Owner>,
): Promise<ElasticIp[]> {
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: tagFilters(words) }))
  return Addresses
}

async function giveBack(cloud: AwsCloud, { AllocationId = '', AssociationId }: ElasticIp): Promise<void> {
  if (AssociationId)
    await tolerating(cloud, new DisassociateAddressCommand({ AssociationId }), 'InvalidAssociationID.NotFound')
  try {
    await cloud.ec2.change(new ReleaseAddressCommand({ AllocationId }))
  } catch (error) {
    if (awsCode(error) !== 'InvalidAllocationID.NotFound') throw error
  }
}
