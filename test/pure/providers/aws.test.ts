import { describe, expect, test } from 'vitest'
import { byPrice } from '../../../src/lib/machine-sizes.ts'
import { KitbagError } from '../../../src/model/errors.ts'
import { awsCode, toKitbagError } from '../../../src/providers/aws/errors.ts'
import { permissions } from '../../../src/providers/aws/groups.ts'
import { subnets6Of, subnetsOf } from '../../../src/providers/aws/networks.ts'
import { importStatements, policy } from '../../../src/providers/aws/policy.ts'
import { credentialsSchema, settingsSchema } from '../../../src/providers/aws/settings.ts'
import { sizes, sizesIn, suitable } from '../../../src/providers/aws/sizes.ts'

const gibibyte = 2 ** 30
const settings = (more: object = {}) => settingsSchema.parse({ region: 'us-east-1', ...more })

/** Every type of the table, in both zones unless it is said. */
function offered(only: Record<string, string[]> = {}) {
  return new Map(sizes.map(({ id }) => [id, new Set(only[id] ?? ['a', 'b'])]))
}
const wanting = (cpu: number, memory: number) => ({ cpu, memory: memory * gibibyte, image: 'debian-13' })

test.each([
  [1, 0.5, 'amd64', 't3a.nano'],
  [1, 0.5, 'arm64', 't4g.nano'],
  [2, 4, 'amd64', 't3a.medium'],
  [4, 8, 'amd64', 't3a.xlarge'],
  [4, 4, 'arm64', 't4g.xlarge'],
  [16, 64, 'amd64', 'm6a.4xlarge'],
  [64, 128, 'arm64', 'c7g.16xlarge'],
] as const)('the cheapest type of %d cpu and %d GiB on %s is %s', (cpu, memory, architecture, wanted) => {
  expect(suitable(wanting(cpu, memory), settings({ architecture }), offered(), ['a'])[0]).toBe(wanted)
})

describe('sizes', () => {
  const asked = wanting(1, 0.5)
  const first = (more: object, only?: Record<string, string[]>, zones = ['a', 'b']) =>
    suitable(asked, settings(more), offered(only), zones)[0]

  test('the cheapest that the allowed zones have', () => {
    expect(first({}, { 't3a.nano': ['b'] }, ['a'])).toBe('t3.nano')
    expect(first({}, { 't3a.nano': ['b'] })).toBe('t3a.nano')
  })

  test('a named one is the only one, unless others may be taken; it is refused where it cannot be had or fits no machine', () => {
    expect(suitable(asked, settings({ size: 'm6a.large' }), offered(), ['a'])).toEqual(['m6a.large'])
    expect(suitable(asked, settings({ size: 'm6a.large', otherSizes: true }), offered(), ['a']).slice(0, 2)).toEqual([
      'm6a.large',
      't3a.nano',
    ])
    expect(() => first({ size: 'm6a.large' }, { 'm6a.large': ['b'] }, ['a'])).toThrow('m6a.large is not to be had in a')
    expect(() => first({ size: 'm7g.large' })).toThrow('m7g.large of the settings is arm64, and machines are amd64')
  })

  test('none is big enough', () => {
    expect(() => suitable(wanting(500, 1), settings(), offered(), ['a'])).toThrow(
      /no known amd64 type in a has 500 cpu/,
    )
  })

  test('a region with prices of its own is chosen from by them; a type that has none there comes last', () => {
    const west = sizesIn('eu-west-1')
    expect(west.find(({ id }) => id === 'm8g.medium')?.hourly).toBe(Number.POSITIVE_INFINITY)
    expect(
      [...west]
        .sort(byPrice)
        .slice(-8)
        .every(({ id }) => id.startsWith('m8g.')),
    ).toBe(true)
    expect(sizesIn('sa-east-1')).toEqual(sizesIn('us-east-1'))
    expect(sizesIn('eu-west-1')).not.toEqual(sizesIn('us-east-1'))
  })
})

describe('settings', () => {
  const problems = (given: object) => settingsSchema.safeParse({ region: 'eu-central-1', ...given }).error?.issues ?? []
  test.each([
    ['http://169.254.169.254/', /link-local or metadata/],
    ['https://[fd00:ec2::254]/', /link-local or metadata/],
    ['https://metadata.google.internal/', /link-local or metadata/],
    ['https://[::ffff:169.254.169.254]/', /link-local or metadata/],
    ['http://ec2.example.com/', /https, or http on this box/],
  ])('the endpoint %s is refused', (endpoint, message) => {
    expect(problems({ endpoint }).map((one) => one.message)).toContainEqual(expect.stringMatching(message))
  })
  test.each(['http://169.254.169.254/', 'https://[fe80::1]/', 'http://sts.example.com/'])(
    'the endpoint %s of a role is refused',
    (endpoint) => {
      const role = { arn: 'arn:aws:iam::123456789012:role/x', endpoint }
      const { error } = credentialsSchema.safeParse({ accessKeyId: 'a', secretAccessKey: 'b', role })
      expect(error?.issues.map(({ path }) => path.join('.'))).toContain('role.endpoint')
    },
  )
  test('an own network excludes given subnets, and machines reached in public need public addresses', () => {
    expect(problems({ network: { own: '10.0.0.0/16', vpc: 'vpc-1' } })).toHaveLength(1)
    expect(problems({ publicAddresses: false })).toHaveLength(1)
    expect(problems({ publicAddresses: false, reach: 'private' })).toEqual([])
    expect(problems({ publicAddresses: false, reach: 'private', network: { own: '10.0.0.0/16' } })).toHaveLength(1)
  })
  const hostKey = `SHA256:${'a'.repeat(43)}`
  test('behind a jump host, machines are reached in private, and SSH comes from there alone', () => {
    const jump = { address: '10.0.0.4', hostKey }
    const given = settingsSchema.parse({ region: 'eu-central-1', reach: 'private', jump })
    expect(given).toMatchObject({ sshFrom: ['10.0.0.4/32'], jump: { port: 22 } })
    expect(settingsSchema.parse(given)).toEqual(given)
    const outside = { address: 'bastion.example.com', hostKey }
    expect(problems({ jump: outside, reach: 'private', sshFrom: ['10.0.0.4/32'] })).toEqual([])
    const paths = (more: object) => problems(more).map(({ path }) => path.join('.'))
    expect(paths({ jump: outside, reach: 'private' })).toEqual(['sshFrom'])
    // Nobody could log in, Kitbag neither.
    expect(paths({ sshFrom: [] })).toEqual(['sshFrom'])
    expect(paths({ jump })).toEqual(['reach'])
    expect(paths({ jump: { address: '10.0.0.4' }, reach: 'private' })).toEqual(['jump.hostKey'])
  })

  test.each([
    [{}, 1],
    [{ accessKeyId: 'a' }, 1],
    [{ accessKeyId: 'a', secretAccessKey: 'b' }, 0],
    [{ accessKeyId: 'a', secretAccessKey: 'b', profile: 'c' }, 1],
    [{ profile: 'c' }, 0],
    [{ webIdentityTokenFile: '/t' }, 1],
    [{ webIdentityTokenFile: '/t', role: { arn: 'arn:aws:iam::123456789012:role/x' } }, 0],
    [{ environment: true }, 0],
  ])('credentials %j: %d problems', (given, count) => {
    expect(credentialsSchema.safeParse(given).error?.issues ?? []).toHaveLength(count)
  })
})

describe('errors', () => {
  const said = (name: string, status: number) =>
    toKitbagError(
      Object.assign(new Error('words'), { name, Code: name, $metadata: { httpStatusCode: status } }),
      'RunInstances',
      'web-1',
    )
  test.each([
    ['RequestLimitExceeded', 503, 'provider-failed', true],
    ['InternalError', 500, 'provider-failed', true],
    ['Unavailable', 503, 'provider-failed', true],
    ['InsufficientInstanceCapacity', 500, 'capacity-exceeded', false],
    ['VcpuLimitExceeded', 400, 'capacity-exceeded', false],
    ['UnauthorizedOperation', 403, 'provider-failed', false],
    ['InvalidParameterValue', 400, 'provider-failed', false],
  ])('%s (%d) is %s, retryable: %s', (name, status, code, retryable) => {
    expect(said(name, status)).toMatchObject({ code, retryable, machine: 'web-1' })
    expect(awsCode(said(name, status))).toBe(name)
  })
  test('what cannot be read is retryable, and said in one short line', () => {
    const error = toKitbagError(new SyntaxError(`Unexpected <html>\n${'x'.repeat(1000)}`), 'DescribeInstances')
    expect(error).toMatchObject({ retryable: true })
    expect(error.message).toMatch(/^aws: DescribeInstances: no readable answer: Unexpected <html> x{3}[^\n]{1,300}$/)
  })
  test("nothing of the SDK's request goes on with an error", () => {
    const request = { body: 'UserData=LS0tLS1CRUdJTi', headers: { authorization: 'AWS4 secret' } }
    const raw = Object.assign(new Error('no'), { Code: 'Blocked', $response: { request }, $metadata: {} })
    const { cause } = toKitbagError(raw, 'RunInstances')
    expect(Object.keys(cause as object)).toEqual(['Code'])
    expect(toKitbagError(new KitbagError('internal', 'as it is'), 'X').message).toBe('as it is')
  })
})

test('rules become permissions, one for each source', () => {
  const sources = [{ network: '0.0.0.0/0' }, { network: '::/0' }, { component: 'web' }]
  const ports = { IpProtocol: 'tcp', FromPort: 80, ToPort: 81 }
  expect(permissions([{ protocol: 'tcp', from: 80, to: 81, sources }], new Map([['web', 'sg-1']]))).toEqual([
    { ...ports, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
    { ...ports, Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
    { ...ports, UserIdGroupPairs: [{ GroupId: 'sg-1' }] },
  ])
})

test('a network is shared out among zones', () => {
  expect(subnetsOf('10.20.0.0/16').slice(0, 3)).toEqual(['10.20.0.0/19', '10.20.32.0/19', '10.20.64.0/19'])
  expect(subnetsOf('192.168.4.0/24').at(-1)).toBe('192.168.4.224/27')
})

test('the policy changes only what is tagged, in one region, and knows of own networks only when there are some', () => {
  const { Statement } = policy(settings())
  expect(Statement.every(({ Condition }) => Condition?.StringEquals?.['aws:RequestedRegion'] === 'us-east-1')).toBe(
    true,
  )
  expect(JSON.stringify(Statement)).not.toContain('CreateVpc')
  const change = Statement.find(({ Action }) => Action.includes('ec2:TerminateInstances'))
  expect(change?.Condition?.StringLike).toEqual({ 'aws:ResourceTag/kitbag:installation': '*' })
  expect(JSON.stringify(policy(settings({ network: { own: '10.0.0.0/16' } })))).toContain('CreateVpc')
})

test('the statements for import write marks alone on what is not Kitbag’s, and are no part of the policy', () => {
  const statements = importStatements(settings())
  const of = (action: string) => statements.filter(({ Action }) => Action.includes(`ec2:${action}`))
  expect(of('CreateTags')).toMatchObject([
    {
      Resource: 'arn:aws:ec2:us-east-1:*:instance/*',
      Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': 'kitbag:*' } },
    },
  ])
  const ours = { StringLike: { 'aws:ResourceTag/kitbag:installation': '*' } }
  expect(of('DeleteTags')).toMatchObject([{ Condition: ours }])
  expect(of('ModifyInstanceAttribute').find(({ Resource }) => Resource.includes(':instance/'))?.Condition).toEqual(ours)
  expect(JSON.stringify(policy(settings()))).not.toMatch(/DeleteTags|ModifyInstanceAttribute/)
  const partition = (region: string) => importStatements(settings({ region }))[0]?.Resource.split(':')[1]
  expect(['cn-north-1', 'us-gov-west-1'].map(partition)).toEqual(['aws-cn', 'aws-us-gov'])
})

test.each([
  ['2001:db8:12:3400::/56', '2001:db8:12:3400::/64', '2001:db8:12:3407::/64'],
  ['2001:db8:12::/56', '2001:db8:12:0::/64', '2001:db8:12:7::/64'],
])('IPv6 networks of %s: the first is %s, the last %s', (block, first, last) => {
  expect(subnets6Of(block)).toHaveLength(8)
  expect([subnets6Of(block).at(0), subnets6Of(block).at(-1)]).toEqual([first, last])
})

test('IPv6 is for networks of its own', () => {
  const { error } = settingsSchema.safeParse({ region: 'eu-central-1', ipv6: true })
  expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['ipv6'])
})
