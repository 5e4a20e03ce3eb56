import { z } from 'zod'
import { blueprintSchema } from './schema.ts'
import type { ToolkitSchemas } from './services.ts'

type Node = Record<string, unknown>

/** A parameter may stand where a number or boolean is wanted; its type is checked once it has its value. */
const expression = { type: 'string', pattern: '^\\$\\{.+\\}$' }

function withExpressions(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withExpressions)
  if (typeof node !== 'object' || node === null) return node
  const mapped = Object.fromEntries(
    Object.entries(node as Node).map(([key, value]) => [key, key === 'default' ? value : withExpressions(value)]),
  )
  if (mapped.type === 'number' || mapped.type === 'integer' || mapped.type === 'boolean') {
    const { description, default: fallback, ...rest } = mapped
    return {
      anyOf: [rest, expression],
      ...(description !== undefined && { description }),
      ...(fallback !== undefined && { default: fallback }),
    }
  }
  return mapped
}

/** The JSON Schema of blueprints, for editors and docs, from the schemas that validate. Pure. */
export function blueprintJsonSchema(toolkit: ToolkitSchemas): Node {
  const convert = (schema: z.ZodType) =>
    z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' }) as Node
  const { $schema, ...root } = convert(blueprintSchema) as Node & { properties: Node }
  const services = Object.entries(toolkit).map(([kind, { schema }]) => {
    const { $schema: _, ...one } = convert(schema)
    return [kind, { anyOf: [one, { type: 'array', items: { type: 'object', required: ['name'] } }] }]
  })
  const { parameters, components, placement, ...rest } = root.properties
  return {
    $schema,
    title: 'Kitbag blueprint',
    ...root,
    properties: {
      ...rest,
      parameters,
      components: withExpressions(components),
      toolkit: {
        type: 'object',
        additionalProperties: false,
        properties: withExpressions(Object.fromEntries(services)),
      },
      placement,
    },
  }
}
