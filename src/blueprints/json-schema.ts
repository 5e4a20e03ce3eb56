import { z } from 'zod'
import { blueprintSchema } from './schema.ts'
import type { ToolkitSchemas } from './toolkit.ts'

/** A JSON Schema, or a part of one. */
export type SchemaNode = { [word: string]: unknown }

const expression: SchemaNode = {
  type: 'string',
  pattern: '\\$\\{[^}]+\\}',
  description:
    'An expression: ${parameters.NAME}, and where values may be known later ${component.output} or ${secrets.NAME}',
}
const anExpression: SchemaNode = { $ref: '#/$defs/expression' }

/** Words that keep a text from being an expression. */
const narrowing = ['pattern', 'enum', 'const', 'format', 'maxLength']

/** The JSON Schema (draft 2020-12) of blueprints, for editors and docs, from the schemas that validate. Pure. */
export function blueprintJsonSchema(toolkit: ToolkitSchemas): SchemaNode {
  const { $schema, properties, ...rest } = convert(blueprintSchema) as SchemaNode & { properties: SchemaNode }
  const { apiVersion, name, parameters, components, placement, firewall } = properties
  const services = Object.entries(toolkit).map(([kind, { schema, nameOf }]) => [
    kind,
    oneOrNamed(convert(schema), nameOf === undefined),
  ])
  const section = {
    type: 'object',
    description: (properties.toolkit as SchemaNode).description,
    properties: withExpressions(Object.fromEntries(services)),
    additionalProperties: false,
  }
  return {
    $schema,
    title: 'Kitbag blueprint',
    ...rest,
    properties: {
      apiVersion,
      name: withExpressions(name),
      parameters,
      components: withExpressions(components),
      toolkit: section,
      placement: withExpressions(placement),
      firewall: withExpressions(firewall),
    },
    $defs: { expression },
  }
}

function convert(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' }) as SchemaNode
}

/** A service is one object, or a list of them, each with a name where it has none by itself. */
function oneOrNamed({ $schema: _, ...one }: SchemaNode, needsName: boolean): SchemaNode {
  const name = { type: 'string', description: 'Its name, which others refer to' }
  const named = {
    ...one,
    properties: { name, ...(one.properties as SchemaNode) },
    required: [...(needsName ? ['name'] : []), ...((one.required as string[] | undefined) ?? [])],
  }
  return { anyOf: [one, { type: 'array', items: named, minItems: 1 }] }
}

/** The same schema, with an expression allowed wherever a value is. Names of fields and defaults stay as they are. */
function withExpressions(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withExpressions)
  if (typeof node !== 'object' || node === null) return node
  const mapped = Object.fromEntries(
    Object.entries(node).map(([word, inner]) => {
      const kept = ['default', 'enum', 'const', 'required', 'propertyNames'].includes(word)
      return [word, kept ? inner : withExpressions(inner)]
    }),
  )
  const { type, description, default: fallback, ...rest } = mapped
  const scalar = type === 'number' || type === 'integer' || type === 'boolean'
  if (!scalar && !(type === 'string' && narrowing.some((word) => word in mapped))) return mapped
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [{ type, ...rest }, anExpression],
  }
}
