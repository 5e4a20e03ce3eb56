import * as api from '@aws-sdk/client-ec2'
import { type AwsCommand, callName } from './client.ts'
import type { AwsCloud } from './connection.ts'
import { describeInstances } from './instances.ts'
import type { Market } from './market.ts'
import { needsTag } from './policy.ts'
import { tagFilters } from './tags.ts'

/** One call, asked of EC2 with the flag that only tries it. */
export interface Dry {
  call: string
  /** On an id of nothing, where a policy may allow it on what carries Kitbag's tags alone: then a refusal says nothing. */
  unsure: boolean
  ask(): Promise<unknown>
}

/** Whoever asks for findings waits for them. */
const options = { patience: 3_000 }

/** Ids of nothing. */
const nothing = '0123456789abcdef0'

/**
 * Every call that a deployment or an import may need, the first one needing least, to be tried without effect: EC2 looks at the permission before
 * it looks at what is asked for.
 */
export async function dryRuns({ ec2, settings, installation }: AwsCloud, market: Market): Promise<Dry[]> {
  const trial = <Input extends api.ServiceInputTypes, Output extends api.ServiceOutputTypes>(
    command: AwsCommand<Input, Output>,
  ): Dry => ({ call: callName(command), unsure: isUnsure(callName(command)), ask: () => ec2.change(command, options) })
  const Filters = tagFilters({ installation })
  const own = {
    instance: await firstOf(async () => (await describeInstances(ec2, Filters)).map(({ InstanceId }) => InstanceId)),
    group: await firstOf(async () => {
      const { SecurityGroups = [] } = await ec2.send(new api.DescribeSecurityGroupsCommand({ Filters }), options)
      return SecurityGroups.map(({ GroupId }) => GroupId)
    }),
    address: await firstOf(async () => {
      if (!settings.publicAddresses) return []
      const { Addresses = [] } = await ec2.send(new api.DescribeAddressesCommand({ Filters }), options)
      return Addresses.map(({ AllocationId }) => AllocationId)
    }),
  }
  const known = (call: string) => {
    if (call === 'TerminateInstances' || call === 'ModifyInstanceAttribute' || call === 'DeleteTags')
      return own.instance
    if (/Group/.test(call)) return own.group
    return call === 'ReleaseAddress' ? own.address : undefined
  }
  const isUnsure = (call: string) => needsTag(call) && !known(call)
  const [image] = await market.images().catch(() => [])
  const [place] = settings.network.own ? [] : await market.places().catch(() => [])
  const dry = { DryRun: true } as const
  const tags = [{ Key: 'kitbag:installation', Value: installation }]
  const vpc = { VpcId: place?.vpc ?? `vpc-${nothing}` }
  const group = { GroupId: own.group ?? `sg-${nothing}` }
  const rule = {
    ...group,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '192.0.2.1/32' }] }],
  }
  const address = { AllocationId: own.address ?? `eipalloc-${nothing}` }
  const InstanceId = own.instance ?? `i-${nothing}`
  const instance = { Resources: [InstanceId] }
  const gateway = { InternetGatewayId: `igw-${nothing}` }
  const on = (ResourceType: api.ResourceType) => ({ TagSpecifications: [{ ResourceType, Tags: tags }] })
  const network = { VpcId: `vpc-${nothing}` }
  return [
    trial(new api.DescribeInstancesCommand(dry)),
    trial(new api.DescribeImagesCommand({ ...dry, Owners: ['self'] })),
    trial(new api.DescribeInstanceTypeOfferingsCommand(dry)),
    trial(new api.DescribeSubnetsCommand(dry)),
    trial(new api.DescribeAvailabilityZonesCommand(dry)),
    trial(new api.DescribeSecurityGroupsCommand(dry)),
    trial(new api.DescribeVpcsCommand(dry)),
    trial(new api.DescribeVolumesCommand(dry)),
    trial(new api.GetConsoleOutputCommand({ ...dry, InstanceId: `i-${nothing}` })),
    trial(
      new api.RunInstancesCommand({
        ...dry,
        ...on('instance'),
        ImageId: image?.id ?? `ami-${nothing}`,
        InstanceType: settings.architecture === 'arm64' ? 't4g.micro' : 't3.micro',
        MinCount: 1,
        MaxCount: 1,
        ...(place && { SubnetId: place.subnet }),
      }),
    ),
    trial(new api.TerminateInstancesCommand({ ...dry, InstanceIds: [InstanceId] })),
    trial(
      new api.CreateSecurityGroupCommand({
        ...dry,
        ...vpc,
        ...on('security-group'),
        GroupName: 'kitbag-test',
        Description: 'x',
      }),
    ),
    trial(new api.DeleteSecurityGroupCommand({ ...dry, ...group })),
    trial(new api.AuthorizeSecurityGroupIngressCommand({ ...dry, ...rule })),
    trial(new api.RevokeSecurityGroupIngressCommand({ ...dry, ...rule })),
    trial(new api.DescribeAddressesCommand(dry)),
    trial(new api.AllocateAddressCommand({ ...dry, ...on('elastic-ip'), Domain: 'vpc' })),
    trial(new api.AssociateAddressCommand({ ...dry, ...address, InstanceId: `i-${nothing}` })),
    trial(new api.DisassociateAddressCommand({ ...dry, AssociationId: `eipassoc-${nothing}` })),
    trial(new api.ReleaseAddressCommand({ ...dry, ...address })),
    trial(new api.CreateVpcCommand({ ...dry, ...on('vpc'), CidrBlock: settings.network.own ?? '10.0.0.0/16' })),
    trial(new api.DeleteVpcCommand({ ...dry, ...network })),
    trial(new api.CreateSubnetCommand({ ...dry, ...on('subnet'), ...network, CidrBlock: '10.0.0.0/24' })),
    trial(new api.DeleteSubnetCommand({ ...dry, SubnetId: `subnet-${nothing}` })),
    trial(new api.DescribeInternetGatewaysCommand(dry)),
    trial(new api.CreateInternetGatewayCommand({ ...dry, ...on('internet-gateway') })),
    trial(new api.AttachInternetGatewayCommand({ ...dry, ...gateway, ...network })),
    trial(new api.DetachInternetGatewayCommand({ ...dry, ...gateway, ...network })),
    trial(new api.DeleteInternetGatewayCommand({ ...dry, ...gateway })),
    trial(new api.DescribeRouteTablesCommand(dry)),
    trial(
      new api.CreateRouteCommand({
        ...dry,
        ...gateway,
        RouteTableId: `rtb-${nothing}`,
        DestinationCidrBlock: '0.0.0.0/0',
        GatewayId: `igw-${nothing}`,
      }),
    ),
    trial(new api.CreateTagsCommand({ ...dry, Resources: [`i-${nothing}`], Tags: tags })),
    trial(new api.DeleteTagsCommand({ ...dry, ...instance, Tags: tags })),
    trial(new api.ModifyInstanceAttributeCommand({ ...dry, InstanceId, Groups: [group.GroupId] })),
  ]
}

/** undefined also where it may not be asked for: that is a finding of its own. */
async function firstOf(ask: () => Promise<(string | undefined)[]>): Promise<string | undefined> {
  return (await ask().catch(() => []))[0]
}
