import type { SchemaNode } from './json-schema.ts'
import { exampleText, proseAfter, proseBefore } from './reference-text.ts'

/** docs/blueprint.md: every field, from the JSON Schema of blueprints. Pure. */
export function blueprintReference(schema: SchemaNode): string {
  const parts = [proseBefore, `\`\`\`yaml\n${exampleText.trim()}\n\`\`\``, proseAfter, ...sections('', schema)]
  return `${parts.map((part) => part.trim()).join('\n\n')}\n`
}

/** A table for every object below a path, outer before inner. */
function sections(path: string, node: SchemaNode): string[] {
  const object = objectOf(node)
  if (!object) return []
  const fields = Object.entries(object.properties as Record<string, SchemaNode>)
  const required = (object.required as string[] | undefined) ?? []
  const rows = fields.map(([name, field]) => row(name, field, required.includes(name)))
  const table = ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
  const title = path === '' ? 'The blueprint' : `\`${path}\``
  const inner = fields.flatMap(([name, field]) => {
    const below = path === '' ? name : `${path}.${name}`
    return [
      ...sections(below, field),
      ...sections(`${below}.NAME`, entryOf(field)),
      ...sections(`${below}[]`, itemOf(field)),
    ]
  })
  return [`### ${title}\n\n${table}`, ...inner]
}

/** The object among the forms that a value may have. */
function objectOf(node: SchemaNode): SchemaNode | undefined {
  if (typeof node.properties === 'object') return node
  return forms(node).find((form) => typeof form.properties === 'object')
}

function forms(node: SchemaNode): SchemaNode[] {
  return Array.isArray(node.anyOf) ? (node.anyOf as SchemaNode[]) : []
}

/** Of a map whose keys are free: what its values are. */
function entryOf({ additionalProperties }: SchemaNode): SchemaNode {
  return typeof additionalProperties === 'object' && additionalProperties !== null
    ? (additionalProperties as SchemaNode)
    : {}
}

/** Of a list: what its entries are. A list of named services repeats the service, and is told of in words. */
function itemOf(node: SchemaNode): SchemaNode {
  return node.type === 'array' ? (node.items as SchemaNode) : {}
}

function row(name: string, field: SchemaNode, required: boolean): string {
  const fallback = field.default
  const shown =
    fallback === undefined || isEmpty(fallback)
      ? ''
      : `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``
  const meaning = String(field.description ?? '')
  return `| \`${name}\` | ${cell(kindOf(field))} | ${required ? 'required' : cell(shown)} | ${cell(meaning)} |`
}

const cell = (text: string) => text.replaceAll('|', '\\|')

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** A value in words: `1 to 65535`, `http, tcp`, `list of text`. */
function kindOf(node: SchemaNode): string {
  if (node.const !== undefined) return `\`${node.const}\``
  if (Array.isArray(node.enum)) return node.enum.map((word) => `\`${word}\``).join(', ')
  const own = forms(node).filter((form) => form.$ref === undefined)
  if (own.length > 0) return [...new Set(own.map(kindOf))].join(' or ')
  if (Array.isArray(node.type)) return node.type.map((type) => kindOf({ type })).join(' or ')
  switch (node.type) {
    case 'string':
      return 'text'
    case 'integer':
      return range('whole number', node)
    case 'number':
      return range('number', node)
    case 'boolean':
      return '`true`, `false`'
    case 'array':
      return `list of ${kindOf(node.items as SchemaNode)}`
    case 'object':
      return 'map'
    default:
      return 'any value'
  }
}

function range(what: string, { minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  const bounded = (value: unknown) => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
  const low = bounded(minimum) ? `from ${minimum}` : bounded(exclusiveMinimum) ? `above ${exclusiveMinimum}` : ''
  const high = bounded(maximum) ? `to ${maximum}` : ''
  return [what, low, high].filter((part) => part !== '').join(' ')
}
