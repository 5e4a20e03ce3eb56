import { z } from 'zod'
import { bytesPattern, parseBytes } from '../lib/bytes.ts'
import { durationPattern, parseDuration } from '../lib/duration.ts'
import { strict } from '../lib/fields.ts'
import { isNetwork } from '../lib/network.ts'
import { isPattern } from '../lib/pattern.ts'
import { componentNameSchema, nameSchema } from '../model/ids.ts'
import { folderRule, isBeside } from './folder.ts'
import { formatNames } from './formats.ts'

const aDuration = 'must be a duration such as 500ms, 2s, 1m or 1h'
const duration = z
  .string(aDuration)
  .regex(durationPattern, aDuration)
  .transform((text) => parseDuration(text) ?? 0)

const anAmount = 'must be an amount such as 512MiB or 1GiB'
const bytes = z
  .string(anAmount)
  .regex(bytesPattern, anAmount)
  .transform((text) => parseBytes(text) ?? 0)

const text = z.string().min(1).max(4096)
const recipeName = z.string().max(200).refine(isBeside, 'must be a shipped recipe, or a folder such as ./recipes/x')

export const parameterSchema = strict({
  type: z.enum(['string', 'integer', 'number', 'boolean']).describe('Its type; `--set` values are converted to it'),
  description: z.string().optional().describe('What it is for'),
  default: z
    .union([z.string(), z.number(), z.boolean()])
    .optional()
    .describe('Without one the parameter has to be given'),
  enum: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('The only values allowed'),
  format: z.enum(formatNames).optional().describe('What the text has to be'),
  pattern: z
    .string()
    .max(500)
    .refine(isPattern, 'must be a regular expression, without look-around and back-references (RE2)')
    .optional()
    .describe('Regular expression (RE2: no look-around, no back-references) that the whole text has to match'),
  minimum: z.number().optional().describe('Of numbers'),
  maximum: z.number().optional().describe('Of numbers'),
  minLength: z.int().min(0).optional().describe('Of text, in characters'),
  maxLength: z.int().min(0).optional().describe('Of text, in characters'),
})

export const machineSchema = strict({
  cpu: z.number().positive().max(512).default(1).describe('Virtual CPUs; a fraction where the provider can'),
  memory: bytes
    .refine((value) => value >= 64 * 2 ** 20, 'must be at least 64MiB')
    .prefault('512MiB')
    .describe('Such as 512MiB, 1GiB'),
  disk: bytes
    .optional()
    .describe('Root disk, such as 20GiB; if absent, as large as the image or the provider makes it'),
  image: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be an image word such as debian-13')
    .default('debian-13')
    .describe('Portable word; each provider has an image for it'),
  staticAddress: z
    .boolean()
    .optional()
    .describe(
      'Its public address survives its replacement; default: only of load balancers and name servers, where the cloud has such addresses',
    ),
})

const placementSchema = strict({
  cloud: nameSchema.optional().describe('A connected cloud (`kitbag cloud list`)'),
  region: text.optional().describe('In the words of the cloud'),
  zones: z.array(text).min(1).optional().describe('Machines are spread over them'),
  labels: z
    .record(text, text)
    .optional()
    .describe('Only machines that have all of these, where the cloud lists labels (`ssh`)'),
})

const componentPlacement = placementSchema.extend({
  with: componentNameSchema
    .optional()
    .describe('A component or service whose machines it shares, instead of machines of its own'),
})

const healthSchema = strict({
  http: z
    .string()
    .regex(
      /^\/[A-Za-z0-9._~/?&=%+:@!*,;-]*$/,
      'must be a path that begins with /, of letters, digits and ._~/?&=%+:@!*,;-',
    )
    .max(1000)
    .optional()
    .describe('Path that has to answer 2xx or 3xx; if absent, the port has to accept connections'),
  interval: duration
    .refine((ms) => ms >= 50, 'must be at least 50ms')
    .prefault('500ms')
    .describe('Time between two checks'),
  timeout: duration
    .refine((ms) => ms >= 50, 'must be at least 50ms')
    .prefault('2s')
    .describe('Time that one check may take'),
  grace: duration.prefault('1m').describe('Time to become healthy after a start'),
})

const updateSchema = strict({
  maxUnavailable: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Machines that may be out of service at once during an update'),
  drain: duration.prefault('10s').describe('Longest wait for open connections before a machine is touched'),
})

const metricsPath = z
  .string()
  .max(1000)
  .regex(/^\/[^\s]*$/, 'must be a path that begins with /')

const metricsSchema = z
  .union([
    metricsPath,
    strict({
      path: metricsPath.default('/metrics'),
      port: z.int().min(1).max(65_535).optional().describe("Default: the component's own"),
    }),
  ])
  .describe("Where it tells figures of itself in Prometheus' format: a path, or path and port")

const network = z.string().max(50).refine(isNetwork, 'must be a network such as 203.0.113.0/24 or 2001:db8::/32')

const publicSchema = z
  .union([z.boolean(), z.array(network).min(1).max(1000)])
  .default(false)
  .describe(
    'Who may come to `port` beside the machines of components that refer to this one: anyone (true), or these networks',
  )

const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _, no digit first'), z.unknown())
  .describe('Environment variables. Values may refer to other components and to secrets')

export const componentSchema = strict({
  source: z
    .string()
    .min(1)
    .max(400)
    .refine(isBeside, `must be ${folderRule}`)
    .optional()
    .describe('Folder of the application, beside the blueprint'),
  runtime: recipeName
    .optional()
    .describe('Recipe that runs the application: a shipped one such as nodejs, or ./recipes/x'),
  recipe: recipeName
    .optional()
    .describe('Recipe of a component that is no application: a shipped one such as postgresql, or ./recipes/x'),
  migrate: text
    .optional()
    .describe(
      'Command that runs once per release, before it takes traffic. A crash may repeat it, so it has to bear that',
    ),
  start: text.optional().describe('Command that starts the application'),
  port: z.int().min(1).max(65_535).optional().describe('Port that it listens on. In its environment as PORT'),
  public: publicSchema,
  replicas: z
    .int()
    .min(0)
    .max(1000)
    .default(1)
    .describe('Machines. Counts at the first deploy and whenever it changes; `kitbag scale` overrides it until then'),
  machine: machineSchema.prefault({}).describe('What each of its machines is like; another one replaces them'),
  env: environment.default({}),
  settings: z.record(z.string(), z.unknown()).default({}).describe('Parameters of the recipe'),
  health: healthSchema
    .optional()
    .describe('When a machine counts as healthy. If absent and there is a port: when it accepts connections'),
  metrics: metricsSchema.optional(),
  update: updateSchema.prefault({}).describe('How running machines are changed'),
  placement: componentPlacement.optional().describe('Where its machines go, as far as not where the blueprint says'),
})

/** The blueprint but its parameters' values and toolkit services, which have schemas of their own. */
export const blueprintSchema = strict({
  apiVersion: z.literal('kitbag/v1').describe('Version of this format'),
  name: nameSchema.describe('Name of the deployment unless `--name` says another'),
  parameters: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'letters, digits, _ and -'), parameterSchema)
    .default({})
    .describe('What may differ between deployments: `--set name=value`'),
  components: z
    .record(componentNameSchema, componentSchema)
    .default({})
    .describe('The parts of the application, by name'),
  toolkit: z.record(z.string(), z.unknown()).default({}).describe('Services beside the application, or alone'),
  placement: placementSchema.prefault({}).describe('Where machines go'),
  firewall: z
    .boolean()
    .default(true)
    .describe('Each machine lets in only what the blueprint declares; false: everything, as far as its cloud does'),
})

/** Fields of a blueprint that are checked as they stand; the others one by one, so that one wrong part hides no other. */
export const frameSchema = blueprintSchema.omit({ parameters: true, components: true, toolkit: true })

export type ParsedComponent = z.output<typeof componentSchema>
export type ParameterDeclaration = z.output<typeof parameterSchema>
