import { z } from 'zod'
import { isForbiddenHost, isLoopback } from '../../lib/endpoint-host.ts'
import { checkJump, sshFields, sshThroughJump } from '../../lib/jump-host.ts'

const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}-[0-9a-f]+$`), `an id like ${prefix}-0123abcd`)

const endpoint = z
  .url()
  .refine(
    (text) => !isForbiddenHost(new URL(text).hostname),
    'a link-local or metadata address is never an endpoint of AWS',
  )
  .refine((text) => {
    const { protocol, hostname } = new URL(text)
    return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  }, 'https, or http on this box')

const diskTypes = ['gp3', 'gp2'] as const

const fields = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region like eu-central-1')
    .describe('All machines of this cloud are there'),
  network: z
    .strictObject({
      vpc: id('vpc').optional().describe('Machines go into its subnets'),
      subnets: z.array(id('subnet')).min(1).optional().describe('Only into these'),
      own: z
        .string()
        .regex(/^(10|172|192)\.\d+\.\d+\.\d+\/(1[6-9]|2[0-4])$/, 'a private network like 10.20.0.0/16')
        .optional()
        .describe('Each deployment gets a network of its own with these addresses, which goes with it'),
    })
    .refine((given) => !(given.own && (given.vpc || given.subnets)), 'either own, or vpc and subnets')
    .default({})
    .describe("Default: the account's default network of the region"),
  ipv6: z
    .boolean()
    .default(false)
    .describe(
      "Own networks have Amazon's IPv6 addresses too, one for each machine. In a network of yours machines have what its subnets give",
    ),
  publicAddresses: z.boolean().default(true).describe('Each machine has a public IPv4 address besides its private one'),
  ...sshFields,
  securityGroups: z.array(id('sg')).default([]).describe("Machines are also in these, besides their component's own"),
  architecture: z.enum(['amd64', 'arm64']).default('amd64'),
  size: z.string().optional().describe('This instance type for every machine, whatever cpu and memory it asks for'),
  otherSizes: z
    .boolean()
    .default(false)
    .describe('Where there is no capacity of a size in any allowed zone: take the next dearer ones'),
  spot: z
    .boolean()
    .default(false)
    .describe('Spot capacity first, on demand where there is none. AWS may end such machines at any time'),
  disk: z
    .strictObject({
      type: z.enum(diskTypes).default('gp3'),
      encrypted: z.boolean().default(true).describe("With the account's default key"),
    })
    .prefault({})
    .describe('Root disks'),
  images: z
    .record(z.string(), z.strictObject({ id: id('ami'), user: z.string().default('admin').describe('Its login user') }))
    .default({})
    .describe('Further image words, each an image of your own that has cloud-init'),
  endpoint: endpoint
    .optional()
    .describe("Another EC2 endpoint than the region's own: a private one, or another cloud with this API"),
})

export const settingsSchema = fields
  .superRefine((settings, context) => {
    checkJump(settings, context)
    const { publicAddresses, reach, network, jump, ipv6 } = settings
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (ipv6 && !network.own) complain('ipv6', 'for network.own; set up your own subnets to assign IPv6 addresses')
    if (publicAddresses) return
    if (reach === 'public' && !jump) complain('reach', 'private, since machines have no public addresses')
    if (network.own) complain('network', 'a network of its own has no way out but public addresses')
  })
  .transform(sshThroughJump)

const assumed = z
  .strictObject({
    arn: z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, 'a role like arn:aws:iam::123456789012:role/kitbag'),
    externalId: z.string().optional(),
    endpoint: endpoint.optional().describe("Another STS endpoint than the region's own"),
  })
  .optional()
  .describe('Assumed with whatever else is given')

export const credentialsSchema = z
  .strictObject({
    accessKeyId: z.string().optional(),
    secretAccessKey: z.string().optional(),
    sessionToken: z.string().optional(),
    profile: z.string().optional().describe("A profile of the control plane's own AWS configuration, SSO included"),
    webIdentityTokenFile: z.string().optional().describe('File on the control plane; needs role'),
    environment: z
      .literal(true)
      .optional()
      .describe(
        "Whatever the control plane's own surroundings give: variables, shared files, container or instance role",
      ),
    role: assumed,
  })
  .superRefine((given, context) => {
    const ways = (['accessKeyId', 'profile', 'webIdentityTokenFile', 'environment'] as const).filter(
      (name) => given[name] !== undefined,
    )
    const complain = (message: string) => context.addIssue({ code: 'custom', message })
    if (ways.length !== 1)
      complain(
        'give one of accessKeyId with secretAccessKey, profile, webIdentityTokenFile with role, environment: true',
      )
    if ((given.accessKeyId === undefined) !== (given.secretAccessKey === undefined))
      complain('accessKeyId and secretAccessKey go together')
    if (given.webIdentityTokenFile !== undefined && !given.role) complain('webIdentityTokenFile needs role')
  })

export type AwsSettings = z.infer<typeof settingsSchema>
export type AwsCredentials = z.infer<typeof credentialsSchema>
