import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  type IpPermission,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroup,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-ec2'
import { KitbagError } from '../../model/errors.ts'
import type { FirewallRule } from '../../model/firewall.ts'
import type { AwsCommand } from './client.ts'
import type { AwsCloud } from './connection.ts'
import { awsCode } from './errors.ts'
import { type Owner, readTag, tagFilters, tagged } from './tags.ts'

/** The deployment's own groups: one for each component, unless a call of a former life took effect late. */
export async function findGroups({ ec2 }: AwsCloud, owner: Owner): Promise<SecurityGroup[]> {
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: tagFilters(owner) }))
  return SecurityGroups
}

/** Makes a component's group, or finds the one that a former call made. It lets nothing in yet. */
export async function makeGroup(cloud: AwsCloud, owner: Owner, component: string, vpc: string): Promise<string> {
  const { ec2 } = cloud
  const name = `kitbag-${owner.installation}-${owner.deployment}-${component}`
  const words = { ...owner, component }
  try {
    const { GroupId } = await ec2.change(
      new CreateSecurityGroupCommand({
        GroupName: name,
        Description: `${component} of a deployment of Kitbag`,
        VpcId: vpc,
        TagSpecifications: [tagged('security-group', words, name)],
      }),
    )
    if (GroupId) return GroupId
  } catch (error) {
    if (awsCode(error) !== 'InvalidGroup.Duplicate') throw error
  }
  const filters = [
    { Name: 'group-name', Values: [name] },
    { Name: 'vpc-id', Values: [vpc] },
  ]
  const { SecurityGroups: [found] = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: filters }))
  if (found?.GroupId && readTag(found.Tags, 'installation') === owner.installation) return found.GroupId
  throw new KitbagError('provider-failed', `aws: the security group ${name} is there and not Kitbag's`, {
    retryable: found === undefined,
    fix: `Remove or rename it in ${vpc}.`,
  })
}

/** Lets exactly these through to a group: what is missing is added first, so that nothing is cut that shall stay. */
export async function alignRules(cloud: AwsCloud, group: SecurityGroup, wanted: IpPermission[]): Promise<void> {
  const id = group.GroupId ?? ''
  const [has, shall] = [single(group.IpPermissions ?? []), single(wanted)]
  const missing = [...shall].filter(([key]) => !has.has(key)).map(([, permission]) => permission)
  const surplus = [...has].filter(([key]) => !shall.has(key)).map(([, permission]) => permission)
  if (missing.length > 0) {
    const command = new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: missing })
    await tolerating(cloud, command, 'InvalidPermission.Duplicate')
  }
  if (surplus.length > 0) {
    const command = new RevokeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: surplus })
    await tolerating(cloud, command, 'InvalidPermission.NotFound')
  }
}

/** A call whose answer was lost is made again by the SDK, and then finds done what it did. */
export async function tolerating<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  { ec2 }: AwsCloud,
  command: AwsCommand<Input, Output>,
  ...codes: string[]
): Promise<void> {
  try {
    await ec2.change(command)
  } catch (error) {
    if (!codes.includes(awsCode(error) ?? '')) throw error
  }
}

/** Rules in AWS's words; components by the ids of their groups. */
export function permissions(rules: FirewallRule[], groups: Map<string, string>): IpPermission[] {
  return rules.flatMap(({ protocol, from, to, sources }) =>
    sources.map((source) => {
      const ports = { IpProtocol: protocol, FromPort: from, ToPort: to }
      if ('component' in source)
        return { ...ports, UserIdGroupPairs: [{ GroupId: groups.get(source.component) ?? '' }] }
      if (source.network.includes(':')) return { ...ports, Ipv6Ranges: [{ CidrIpv6: source.network }] }
      return { ...ports, IpRanges: [{ CidrIp: source.network }] }
    }),
  )
}

/** One entry for each source of each permission, under a key that says all of it. */
function single(permissions: IpPermission[]): Map<string, IpPermission> {
  const found = new Map<string, IpPermission>()
  for (const { IpProtocol = '-1', FromPort = -1, ToPort = -1, ...sources } of permissions) {
    const ports = { IpProtocol, FromPort, ToPort }
    const add = (source: string, permission: IpPermission) =>
      found.set(`${IpProtocol} ${FromPort}-${ToPort} ${source}`, { ...ports, ...permission })
    for (const { CidrIp = '' } of sources.IpRanges ?? []) add(CidrIp, { IpRanges: [{ CidrIp }] })
    for (const { CidrIpv6 = '' } of sources.Ipv6Ranges ?? []) add(CidrIpv6, { Ipv6Ranges: [{ CidrIpv6 }] })
    for (const { GroupId = '' } of sources.UserIdGroupPairs ?? []) add(GroupId, { UserIdGroupPairs: [{ GroupId }] })
    for (const { PrefixListId = '' } of sources.PrefixListIds ?? [])
      add(PrefixListId, { PrefixListIds: [{ PrefixListId }] })
  }
  return found
}
