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

interface Statement {
  Sid: string
  Effect: 'Allow'
  Action: string[]
  Resource: string
  Condition?: Record<string, Record<string, string | string[]>>
}

/** EC2's calls that a cloud with these settings makes. */
export function neededActions({ network }: AwsSettings): string[] {
  const own = network.own ? Object.values(ownNetwork).flat() : []
  return [...reading, ...making, ...changing, ...own]
}

/** Whether the policy allows a call only on what carries Kitbag's tag. */
export function needsTag(call: string): boolean {
  return [...changing, ...ownNetwork.changing].includes(call)
}

/** An IAM policy that allows these and no more: changes only to what carries Kitbag's tag, tags only at making. */
export function policy({ network, region }: AwsSettings): { Version: string; Statement: Statement[] } {
  const own = network.own === undefined ? undefined : ownNetwork
  const actions = (names: string[]) => names.map((name) => `ec2:${name}`)
  const here = { StringEquals: { 'aws:RequestedRegion': region } }
  const created = [...making, ...(own?.making ?? [])]
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
      allow('Read', [...reading, ...(own?.reading ?? [])]),
      allow('Make', [...created, ...(own?.routing ?? [])]),
      allow('TagWhatIsMade', ['CreateTags'], { 'ec2:CreateAction': created }),
      allow(
        'ChangeWhatIsKitbags',
        [...changing, ...(own?.changing ?? [])],
        { 'aws:ResourceTag/kitbag:installation': '*' },
        'StringLike',
      ),
    ],
  }
}
