import { z } from 'zod'
import { isPattern } from '../lib/pattern.ts'

const parameterTypes = ['string', 'integer', 'number', 'boolean', 'array', 'object'] as const

/** JSON Schema of one parameter: the part of it that recipes use, so that every word in it has an effect. */
const parameterSchema: z.ZodType = z.lazy(() =>
  z.strictObject({
    type: z.enum(parameterTypes),
    description: z.string().optional(),
    default: z.json().optional(),
    enum: z.array(z.json()).min(1).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minLength: z.int().min(0).optional(),
    maxLength: z.int().min(0).optional(),
    pattern: z
      .string()
      .refine(isPattern, 'must be a regular expression, without look-around and back-references (RE2)')
      .optional(),
    format: z.enum(['hostname']).optional(),
    items: parameterSchema.optional(),
    minItems: z.int().min(0).optional(),
    maxItems: z.int().min(0).optional(),
    properties: z.record(z.string(), parameterSchema).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), parameterSchema]).optional(),
    'x-kitbag-secret': z.boolean().optional(),
  }),
)

const parameterName = /^[a-zA-Z][a-zA-Z0-9_]*$/

/** `parameters:` in recipe.yaml: a JSON Schema object, or its properties alone. */
const parametersSchema = z.strictObject({
  type: z.literal('object').default('object'),
  properties: z
    .record(z.string().regex(parameterName, 'letters, digits and _, beginning with a letter'), parameterSchema)
    .default({}),
  required: z.array(z.string()).optional(),
  additionalProperties: z.literal(false).default(false),
})

/** A port that it listens on, and for whom; without a port: that of its component. */
const openingSchema = z.strictObject({
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  port: z.int().min(1).max(65535).optional(),
  from: z.enum(['anyone', 'users', 'observers', 'peers']).default('users'),
})

/** Everything of recipe.yaml but the resources, which their types check. */
export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and hyphens, beginning with a letter'),
  kind: z.enum(['application', 'service']).default('service'),
  description: z.string().default(''),
  parameters: parametersSchema.prefault({}),
  port: z.int().min(1).max(65535).optional(),
  outputs: z
    .record(
      z.string().regex(/^[a-z][a-zA-Z0-9]*$/, 'letters and digits, beginning with a lower-case letter'),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .default({}),
  stateful: z.boolean().default(false),
  opens: z.array(openingSchema).max(100).optional(),
  tls: z.boolean().default(false),
  loopback: z.array(z.int().min(1).max(65535)).max(100).optional(),
  resources: z.array(z.unknown()).max(500),
})

export const phaseSchema = z.enum(['install', 'migrate', 'configure'])
