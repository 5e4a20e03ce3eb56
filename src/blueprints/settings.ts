import type { JsonObject } from '../model/json.ts'
import { isConcat, isReference, type Value } from '../model/value.ts'
import type { Path } from './document.ts'
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

/** Checks a component's settings against its recipe's parameters, the JSON Schema words that recipes may use. References are checked when they are known. */
export function checkSettings(schema: Schema, value: Value, path: Path, problems: Problems): void {
  if (isReference(value)) return
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
  if (Array.isArray(value) && typeof schema.items === 'object') {
    for (const [i, item] of value.entries()) checkSettings(schema.items as Schema, item, [...path, i], problems)
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    checkObject(schema, value as Record<string, Value>, path, problems)
  }
}

function checkBounds(schema: Schema, value: Value, path: Path, problems: Problems): void {
  const bound = (word: string) => (typeof schema[word] === 'number' ? (schema[word] as number) : undefined)
  const within = (size: number, least: string, most: string, what: string) => {
    const [low, high] = [bound(least), bound(most)]
    if (low !== undefined && size < low) problems.add(path, `must be at least ${low}${what}`, { found: show(value) })
    if (high !== undefined && size > high) problems.add(path, `must be at most ${high}${what}`, { found: show(value) })
  }
  if (typeof value === 'number') within(value, 'minimum', 'maximum', '')
  if (typeof value === 'string') {
    within(value.length, 'minLength', 'maxLength', ' characters')
    if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(value))
      problems.add(path, `must match ${schema.pattern}`, { found: show(value) })
  }
  if (Array.isArray(value)) within(value.length, 'minItems', 'maxItems', ' entries')
}

function checkObject(schema: Schema, value: Record<string, Value>, path: Path, problems: Problems): void {
  const properties = (schema.properties ?? {}) as Record<string, Schema>
  const open = schema.additionalProperties === true || typeof schema.additionalProperties === 'object'
  for (const [key, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (property) checkSettings(property, member, [...path, key], problems)
    else if (typeof schema.additionalProperties === 'object')
      checkSettings(schema.additionalProperties as Schema, member, [...path, key], problems)
    else if (!open)
      problems.add([...path, key], `unknown setting ${key}`, {
        unknown: key,
        allowed: Object.keys(properties),
        at: 'key',
      })
  }
  for (const key of Array.isArray(schema.required) ? schema.required.map(String) : []) {
    const generated = properties[key]?.['x-kitbag-secret'] === true || properties[key]?.default !== undefined
    if (!Object.hasOwn(value, key) && !generated) problems.add(path, `${key} is required`)
  }
}
