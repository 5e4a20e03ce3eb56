import type { AwsSettings } from './settings.ts'

const reading = [
  'DescribeInstances',
  'DescribeImages',
  'DescribeInstanceTypeOfferings',
  'DescribeSubnets',
  'DescribeAvailabilityZones',
  'DescribeSecurityGroups',
  'DescribeVpcs',
  'DescribeVolumes',
  'GetConsoleOutput',
]
/** What makes things, which carry Kitbag's tags from then on. */
const making = ['RunInstances', 'CreateSecurityGroup']
/** Only to what carries them. */
const changing = [
  'TerminateInstances',
  'AuthorizeSecurityGroupIngress',
  'RevokeSecurityGroupIngress',
  'DeleteSecurityGroup',
]
const ownNetwork = {
  reading: ['DescribeInternetGateways', 'DescribeRouteTables'],
  making: ['CreateVpc', 'CreateSubnet', 'CreateInternetGateway'],
  changing: ['DeleteVpc', 'DeleteSubnet', 'DeleteInternetGateway', 'AttachInternetGateway', 'DetachInternetGateway'],
  /** The VPC's first route table is AWS's and has no tags. */
  routing: ['CreateRoute'],
}

/** Where machines have public addresses. */
const addresses = {
  reading: ['DescribeAddresses'],
  making: ['AllocateAddress'],
  changing: ['AssociateAddress', 'DisassociateAddress', 'ReleaseAddress'],
}

/** What taking in a machine that somebody else made, and letting machines go, needs beside the rest. */
const importing = { marking: 'CreateTags', changing: ['DeleteTags', 'ModifyInstanceAttribute'] }

export interface Statement {
  Sid: string
  Effect: 'Allow'
  Action: string[]
  Resource: string
  Condition?: Record<string, Record<string, string | string[]>>
}

interface Part {
  reading: string[]
  making: string[]
  changing: string[]
  routing?: string[]
}

function partsOf({ network, publicAddresses }: AwsSettings): Part[] {
  return [
    { reading, making, changing },
    ...(network.own === undefined ? [] : [ownNetwork]),
    ...(publicAddresses ? [addresses] : []),
  ]
}

/** EC2's calls that a cloud with these settings makes. */
export function neededActions(settings: AwsSettings): string[] {
  return partsOf(settings).flatMap((part) => Object.values(part).flat())
}

/** Whether the policy allows a call only on what carries Kitbag's tag. */
export function needsTag(call: string): boolean {
  return [...changing, ...ownNetwork.changing, ...addresses.changing, ...importing.changing].includes(call)
}

/** EC2's calls that `kitbag cloud import` and `kitbag forget` make beside those. */
export const importActions = [importing.marking, ...importing.changing]

/**
 * Statements to add to the policy for import and forget: marks of Kitbag alone may be written, on any instance; the rest is allowed on what
 * carries them. The groups that an instance keeps are its owner's, and EC2 asks for them too.
 */
export function importStatements({ region }: AwsSettings): Statement[] {
  const every = (type: string) => `arn:${partitionOf(region)}:ec2:${region}:*:${type}/*`
  const marks = { 'ForAllValues:StringLike': { 'aws:TagKeys': 'kitbag:*' } }
  const ours = { StringLike: { 'aws:ResourceTag/kitbag:installation': '*' } }
  const allow = (Sid: string, action: string, Resource: string, Condition: Statement['Condition']): Statement => ({
    Sid,
    Effect: 'Allow',
    Action: [`ec2:${action}`],
    Resource,
    ...(Condition && { Condition }),
  })
  return [
    allow('MarkWhatIsImported', 'CreateTags', every('instance'), marks),
    allow('TakeMarksOff', 'DeleteTags', every('*'), { ...marks, ...ours }),
    allow('ChangeGroupsOfWhatIsImported', 'ModifyInstanceAttribute', every('instance'), ours),
    allow('KeepItsOwnGroups', 'ModifyInstanceAttribute', every('security-group'), undefined),
  ]
}

/** Of the region: China's and the government's are worlds of their own. */
function partitionOf(region: string): string {
  return region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** An IAM policy that allows these and no more: changes only to what carries Kitbag's tag, tags only at making. */
export function policy(settings: AwsSettings): { Version: string; Statement: Statement[] } {
  const parts = partsOf(settings)
  const actions = (names: string[]) => names.map((name) => `ec2:${name}`)
  const here = { StringEquals: { 'aws:RequestedRegion': settings.region } }
  const created = parts.flatMap((part) => part.making)
  const allow = (
    Sid: string,
    names: string[],
    more: Record<string, string | string[]> = {},
    test = 'StringEquals',
  ) => ({
    Sid,
    Effect: 'Allow' as const,
    Action: actions(names),
    Resource: '*',
    Condition:
      test === 'StringEquals' ? { StringEquals: { ...here.StringEquals, ...more } } : { ...here, [test]: more },
  })
  return {
    Version: '2012-10-17',
    Statement: [
      allow(
        'Read',
        parts.flatMap((part) => part.reading),
      ),
      allow('Make', [...created, ...parts.flatMap((part) => part.routing ?? [])]),
      allow('TagWhatIsMade', ['CreateTags'], { 'ec2:CreateAction': created }),
      allow(
        'ChangeWhatIsKitbags',
        parts.flatMap((part) => part.changing),
        { 'aws:ResourceTag/kitbag:installation': '*' },
        'StringLike',
      ),
    ],
  }
}
