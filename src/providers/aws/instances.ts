import { DescribeInstancesCommand, type Filter, type Instance } from '@aws-sdk/client-ec2'
import type { Address } from '../../model/machine.ts'
import type { ProviderMachine } from '../contract.ts'
import type { Ec2 } from './client.ts'
import { readTag } from './tags.ts'

/** Instances that pass the filters, whatever their state. */
export async function describeInstances(ec2: Ec2, filters: Filter[]): Promise<Instance[]> {
  const found: Instance[] = []
  for (let token: string | undefined; ; ) {
    const page = await ec2.send(
      new DescribeInstancesCommand({ Filters: filters, MaxResults: 1000, ...(token && { NextToken: token }) }),
    )
    found.push(...(page.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []))
    token = page.NextToken
    if (!token) return found
  }
}

export const living = ['pending', 'running', 'stopping', 'stopped', 'shutting-down']

export function isInstanceId(id: string): boolean {
  return /^i-[0-9a-f]{8,17}$/.test(id)
}

const statuses: Record<string, ProviderMachine['status']> = {
  pending: 'pending',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  'shutting-down': 'gone',
  terminated: 'gone',
}

export function toMachine(instance: Instance, reach: 'public' | 'private'): ProviderMachine {
  const { InstanceId: id = '', InstanceType: size, Tags, State } = instance
  return {
    id,
    name: readTag(Tags, 'name'),
    tags: {
      installation: readTag(Tags, 'installation'),
      deployment: readTag(Tags, 'deployment'),
      machine: readTag(Tags, 'machine'),
    },
    status: statuses[State?.Name ?? ''] ?? 'pending',
    addresses: addressesOf(instance, reach),
    user: readTag(Tags, 'user'),
    sshPort: 22,
    ...(size !== undefined && { size }),
  }
}

/** No address at all until the one at which Kitbag logs in is there. */
function addressesOf(
  { PrivateIpAddress, PublicIpAddress, VpcId, NetworkInterfaces }: Instance,
  reach: 'public' | 'private',
): Address[] {
  if (!PrivateIpAddress || (reach === 'public' && !PublicIpAddress)) return []
  const network = VpcId ?? 'aws'
  const own: Address = { address: PrivateIpAddress, family: 4, scope: 'private', network }
  const outside = { scope: 'public', network: 'internet' } as const
  const ipv6 = NetworkInterfaces?.flatMap(({ Ipv6Addresses }) => Ipv6Addresses ?? []) ?? []
  return [
    own,
    ...(PublicIpAddress
      ? [
          {
            address: PublicIpAddress,
            family: 4,
            ...outside,
            ...(reach === 'public' && { login: true as const }),
          } as const,
        ]
      : []),
    ...ipv6.flatMap(({ Ipv6Address }) =>
      Ipv6Address ? [{ address: Ipv6Address, family: 6, ...outside } as const] : [],
    ),
  ]
}
