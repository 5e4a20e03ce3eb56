import { DescribeInstanceTypeOfferingsCommand } from '@aws-sdk/client-ec2'
import type { Ec2 } from './client.ts'
import { sizes } from './sizes.ts'

/** Types of the table (and `more`) -> zones of the region that have them. */
export async function findOffers(ec2: Ec2, more: string[]): Promise<Map<string, Set<string>>> {
  const types = [...new Set([...sizes.map(({ id }) => id), ...more])]
  const found = new Map<string, Set<string>>()
  for (let token: string | undefined; ; ) {
    const page = await ec2.send(
      new DescribeInstanceTypeOfferingsCommand({
        LocationType: 'availability-zone',
        Filters: [{ Name: 'instance-type', Values: types }],
        MaxResults: 1000,
        ...(token && { NextToken: token }),
      }),
    )
    for (const { InstanceType: type = '', Location: zone = '' } of page.InstanceTypeOfferings ?? [])
      found.set(type, (found.get(type) ?? new Set()).add(zone))
    token = page.NextToken
    if (!token) return found
  }
}
