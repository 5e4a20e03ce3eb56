import { z } from 'zod'
import { isForbiddenHost } from '../../lib/endpoint-host.ts'
import { checkJump, sshFields, sshThroughJump } from '../../lib/jump-host.ts'

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a GUID')
const resourceId = (type: string) =>
  z
    .string()
    .regex(new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${type}$`, 'i'), 'a resource id of Azure')

/** Never a machine's own metadata or another link-local address: what answers there would be given a token. */
const endpoint = z.url({ protocol: /^https$/ }).refine((text) => !isForbiddenHost(new URL(text).hostname), {
  message: 'a link-local or metadata address cannot be an endpoint',
})

const fields = z.strictObject({
  subscription: guid.describe('Subscription id'),
  region: z
    .string()
    .regex(/^[a-z][a-z0-9]*$/, 'a region as Azure writes it, such as westeurope')
    .describe('Region of its machines, such as `westeurope`; another region is another cloud record'),
  resourceGroup: z
    .string()
    .regex(/^[\w.()-]{0,89}[\w()-]$/, 'the name of a resource group')
    .optional()
    .describe('Existing resource group to work in. Default: one of its own for each deployment'),
  subnet: resourceId('Microsoft\\.Network/virtualNetworks/[^/]+/subnets/[^/]+')
    .optional()
    .describe('Resource id of an existing subnet. Default: a network of its own for each deployment'),
  securityGroup: resourceId('Microsoft\\.Network/networkSecurityGroups/[^/]+')
    .optional()
    .describe(
      'Resource id of an existing network security group, used as it is. Default: own ones, from the blueprint',
    ),
  addressSpace: z.cidrv4().default('10.111.0.0/16').describe('Addresses of an own network'),
  ipv6: z.boolean().default(false).describe('Own networks have IPv6 too, and each machine one more public address'),
  publicAddresses: z.boolean().default(true).describe('Whether machines have a public address beside the private one'),
  ...sshFields,
  architecture: z.enum(['amd64', 'arm64']).default('amd64').describe('Of every machine'),
  size: z
    .string()
    .regex(/^[A-Z]\w+$/, 'a size as Azure writes it, such as Standard_B2s_v2')
    .optional()
    .describe('Size of every machine, such as `Standard_D2s_v5`. Default: the cheapest that gives what is asked for'),
  otherSizes: z.boolean().default(false).describe('Where there is no capacity of a size: take the next dearer ones'),
  spot: z.boolean().default(false).describe('Spot machines, as far as they can be had; the others on demand'),
  images: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'an image word, such as golden'),
      z.strictObject({
        id: z
          .string()
          .regex(
            /^(\/subscriptions\/.+\/(images|versions)\/[^/]+|[^:\s/]+(:[^:\s/]+){3})$/i,
            'the resource id of an image, or publisher:offer:sku:version',
          ),
      }),
    )
    .default({})
    .describe('Further image words, each an image of your own that has cloud-init'),
  disk: z
    .enum(['Standard_LRS', 'StandardSSD_LRS', 'Premium_LRS'])
    .default('StandardSSD_LRS')
    .describe("Type of the machines' disks"),
  endpoint: endpoint.default('https://management.azure.com').describe('Of the Resource Manager'),
  authority: endpoint.default('https://login.microsoftonline.com').describe('Where tokens come from'),
  certificateAuthority: z
    .string()
    .startsWith('-----BEGIN CERTIFICATE-----')
    .optional()
    .describe('PEM; for an endpoint whose certificate is not publicly trusted'),
})

export const settingsSchema = fields
  .superRefine((settings, context) => {
    checkJump(settings, context)
    if (settings.ipv6 && settings.subnet !== undefined)
      context.addIssue({ code: 'custom', path: ['ipv6'], message: 'for own networks; leave out subnet' })
  })
  .transform(sshThroughJump)

const tenant = guid.describe('Directory (tenant) id')
const client = guid.describe('Application (client) id')

/** One part of what the SDK's default chain knows, or (`environment`) the whole chain as this process finds it. */
export const credentialsSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('client-secret'), tenant, client, secret: z.string().min(1) }),
  z.strictObject({
    from: z.literal('certificate'),
    tenant,
    client,
    certificate: z.string().includes('-----BEGIN').describe('PEM: certificate and private key'),
  }),
  z.strictObject({ from: z.literal('workload-identity'), tenant, client, tokenFile: z.string().startsWith('/') }),
  z.strictObject({ from: z.literal('managed-identity'), client: client.optional() }),
  z.strictObject({ from: z.literal('cli'), tenant: tenant.optional() }),
  z.strictObject({ from: z.literal('environment') }),
])

export type Settings = z.infer<typeof settingsSchema>
export type Credentials = z.infer<typeof credentialsSchema>
