import { DescribeSecurityGroupsCommand, DescribeVolumesCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import type { AwsCloud } from './connection.ts'
import { describeInstances, living } from './instances.ts'
import { readTag, tagFilters } from './tags.ts'

/** What carries an installation's tag beyond the machines `known`: machines, disks, and groups and networks of deployments without any. */
export async function residue({ ec2 }: AwsCloud, installation: string, known: string[]): Promise<string[]> {
  const ours = tagFilters({ installation })
  const Filters = ours
  const [instances, volumes, groups, vpcs] = await Promise.all([
    describeInstances(ec2, [...ours, { Name: 'instance-state-name', Values: living }]),
    ec2.send(new DescribeVolumesCommand({ Filters })),
    ec2.send(new DescribeSecurityGroupsCommand({ Filters })),
    ec2.send(new DescribeVpcsCommand({ Filters })),
  ])
  const used = instances.filter(({ InstanceId }) => known.includes(InstanceId ?? ''))
  const deployments = new Set(used.map(({ Tags }) => readTag(Tags, 'deployment')))
  const strays = instances.filter((one) => !used.includes(one))
  const loose = (volumes.Volumes ?? []).filter(
    ({ Attachments = [] }) =>
      !Attachments.some(({ InstanceId }) => instances.some((one) => one.InstanceId === InstanceId)),
  )
  const idle = <T extends { Tags?: Parameters<typeof readTag>[0] }>(all: T[] = []) =>
    all.filter(({ Tags }) => !deployments.has(readTag(Tags, 'deployment')))
  return [
    ...strays.map(({ InstanceId, Tags }) => `machine ${InstanceId} ${readTag(Tags, 'name')}`),
    ...loose.map(({ VolumeId }) => `disk ${VolumeId}`),
    ...idle(groups.SecurityGroups).map(({ GroupId, GroupName }) => `security group ${GroupId} ${GroupName}`),
    ...idle(vpcs.Vpcs).map(({ VpcId }) => `network ${VpcId}`),
  ]
}
