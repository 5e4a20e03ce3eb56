import { z } from 'zod'
import { bytesPattern, parseBytes } from '../lib/bytes.ts'
import { durationPattern, parseDuration } from '../lib/duration.ts'
import { componentNameSchema, nameSchema } from '../model/ids.ts'

/** An object that refuses unknown fields and names those it knows. */
export function strict<T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `known: ${known}` : undefined),
  })
}

export const duration = z
  .string()
  .regex(durationPattern, 'a duration such as 500ms, 2s, 1m or 1h')
  .transform((text) => parseDuration(text) ?? 0)
  .describe('A duration: 500ms, 2s, 1m, 1h')

export const bytes = z
  .string()
  .regex(bytesPattern, 'an amount of memory or disk such as 512MiB or 1GiB')
  .transform((text) => parseBytes(text) ?? 0)
  .describe('An amount of bytes: 512MiB, 1GiB')

const text = z.string().min(1).max(4096)

export const parameterSchema = strict({
  type: z.enum(['string', 'integer', 'number', 'boolean']).describe('Its type; --set values are converted to it'),
  description: z.string().optional(),
  default: z
    .union([z.string(), z.number(), z.boolean()])
    .optional()
    .describe('Without one the parameter has to be given'),
  enum: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
  format: z.enum(['hostname', 'ipv4', 'ipv6', 'email', 'uri']).optional(),
  pattern: z.string().max(500).optional().describe('A regular expression that the whole text has to match'),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.int().min(0).optional(),
  maxLength: z.int().min(0).optional(),
})

export const machineSchema = strict({
  cpu: z.number().positive().max(512).default(1).describe('Virtual CPUs'),
  memory: bytes
    .refine((value) => value >= 64 * 2 ** 20, 'at least 64MiB')
    .default(512 * 2 ** 20)
    .describe('512MiB, 1GiB'),
  disk: bytes.optional().describe("Root disk; absent: the image's own"),
  image: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'an image word such as debian-13')
    .default('debian-13'),
})

export const placementSchema = strict({
  cloud: nameSchema.optional().describe('A connected cloud (kitbag cloud list)'),
  region: text.optional(),
  zones: z.array(text).min(1).optional().describe('Machines are spread over them'),
})

export const healthSchema = strict({
  http: z
    .string()
    .regex(/^\/[^\s]*$/, 'a path that begins with /')
    .max(1000)
    .optional()
    .describe('Path that answers 2xx or 3xx; absent: the port accepts connections'),
  interval: duration.refine((ms) => ms >= 50, 'at least 50ms').default(500),
  timeout: duration.refine((ms) => ms >= 50, 'at least 50ms').default(2000),
  grace: duration.default(60_000).describe('Time to become healthy after a start'),
})

export const updateSchema = strict({
  maxUnavailable: z.int().min(1).max(1000).default(1).describe('Machines that may be out of service at once'),
  drain: duration.default(10_000).describe('Longest wait for open connections before a machine is touched'),
})

const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and _'),
  z.unknown(),
)

export const componentSchema = strict({
  source: z.string().min(1).max(400).optional().describe('Folder of the application, beside the blueprint'),
  runtime: text.optional().describe('Recipe that runs the application: a shipped one or ./recipes/x'),
  recipe: text.optional().describe('Recipe of a component that is no application: a shipped one or ./recipes/x'),
  migrate: text
    .optional()
    .describe('Command that runs once per release, before it takes traffic; must bear being repeated'),
  start: text.optional().describe('Command that starts the application'),
  port: z.int().min(1).max(65_535).optional().describe('Port that it listens on; in its environment as PORT'),
  replicas: z.int().min(0).max(1000).default(1).describe('Machines'),
  machine: machineSchema.prefault({}),
  env: environment.default({}).describe('Environment variables; values may refer to other components and secrets'),
  settings: z.record(z.string(), z.unknown()).default({}).describe('Parameters of the recipe'),
  health: healthSchema.optional(),
  update: updateSchema.prefault({}),
  placement: placementSchema.optional().describe("Where its machines go; default: the blueprint's placement"),
})

/** The blueprint but its parameters' values and toolkit services, which have schemas of their own. */
export const blueprintSchema = strict({
  apiVersion: z.literal('kitbag/v1'),
  name: nameSchema,
  parameters: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'letters, digits, _ and -'), parameterSchema)
    .default({}),
  components: z.record(componentNameSchema, componentSchema).default({}),
  toolkit: z.record(z.string(), z.unknown()).default({}),
  placement: placementSchema.prefault({}),
})

export type ParsedComponent = z.output<typeof componentSchema>
export type ParameterDeclaration = z.output<typeof parameterSchema>
