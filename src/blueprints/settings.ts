import { matches } from '../lib/pattern.ts'
import type { JsonObject } from '../model/json.ts'
import { isConcat, isReference, type Value } from '../model/value.ts'
import { hasFormat } from './formats.ts'
import type { Path } from './path.ts'
import { type Problems, show } from './problems.ts'

type Schema = JsonObject

function typeOf(value: Value): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function hasType(value: Value, type: string): boolean {
  const found = typeOf(value)
  return found === type || (type === 'number' && found === 'integer')
}

/**
 * Checks a component's settings against its recipe's parameters: the words of JSON Schema that recipes may use. What holds a
 * reference is checked when its value is known.
 */
export function checkSettings(schema: Schema, value: Value, path: Path, problems: Problems): void {
  if (isReference(value)) return
  if (schema['x-kitbag-secret'] === true && !isConcat(value)) {
    problems.add(
      path,
      'a secret is not written into a blueprint: leave it out to have one made, or write ${secrets.NAME}',
    )
    return
  }
  const { type } = schema
  if (isConcat(value)) {
    if (typeof type === 'string' && type !== 'string')
      problems.add(path, `must be of type ${type}, and text with \${...} inside is a string`)
    return
  }
  if (typeof type === 'string' && !hasType(value, type)) {
    problems.add(path, `must be of type ${type}`, { found: show(value) })
    return
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(value as never)) {
    problems.add(path, `${show(value)} is not allowed`, { unknown: String(value), allowed: schema.enum.map(String) })
  }
  checkBounds(schema, value, path, problems)
  if (typeof value === 'string') checkText(schema, value, path, problems)
  if (Array.isArray(value) && typeof schema.items === 'object') {
    for (const [i, item] of value.entries()) checkSettings(schema.items as Schema, item, [...path, i], problems)
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    checkObject(schema, value as Record<string, Value>, path, problems)
  }
}

function checkBounds(schema: Schema, value: Value, path: Path, problems: Problems): void {
  const within = (size: number, least: string, most: string, what: string) => {
    const [low, high] = [schema[least], schema[most]]
    if (typeof low === 'number' && size < low)
      problems.add(path, `must be at least ${low}${what}`, { found: show(value) })
    if (typeof high === 'number' && size > high)
      problems.add(path, `must be at most ${high}${what}`, { found: show(value) })
  }
  if (typeof value === 'number') within(value, 'minimum', 'maximum', '')
  if (typeof value === 'string') within([...value].length, 'minLength', 'maxLength', ' characters')
  if (Array.isArray(value)) within(value.length, 'minItems', 'maxItems', ' entries')
}

function checkText({ pattern, format }: Schema, text: string, path: Path, problems: Problems): void {
  if (typeof pattern === 'string') {
    if (!matches(pattern, text)) problems.add(path, `must match ${pattern}`, { found: show(text) })
  }
  if (typeof format === 'string' && !hasFormat(format, text))
    problems.add(path, `must be a ${format}`, { found: show(text) })
}

function checkObject(schema: Schema, value: Record<string, Value>, path: Path, problems: Problems): void {
  const properties = (schema.properties ?? {}) as Record<string, Schema>
  const { additionalProperties: others } = schema
  for (const [key, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (property) checkSettings(property, member, [...path, key], problems)
    else if (typeof others === 'object') checkSettings(others as Schema, member, [...path, key], problems)
    else if (others === false)
      problems.add([...path, key], `unknown setting ${key}`, {
        unknown: key,
        allowed: Object.keys(properties),
        at: 'key',
      })
  }
  for (const key of Array.isArray(schema.required) ? schema.required.map(String) : []) {
    const filled = properties[key]?.['x-kitbag-secret'] === true || properties[key]?.default !== undefined
    if (!Object.hasOwn(value, key) && !filled) problems.add(path, `the setting ${key} is required`, { at: 'key' })
  }
}
