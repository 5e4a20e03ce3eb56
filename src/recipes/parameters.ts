import { matches } from '../lib/pattern.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { RecipeSignature } from '../model/recipe.ts'
import { declaredParameters } from './context.ts'
import type { Report } from './issue.ts'

/**
 * A recipe's parameters from a component's settings: defaults filled in, what is neither given nor has a default left out.
 * `generated` names the secrets that are not given and have to be made, sorted.
 */
export function completeParameters<Value>(
  signature: RecipeSignature,
  settings: Record<string, Value>,
): { parameters: Record<string, Value | Json>; generated: string[] } {
  const parameters: Record<string, Value | Json> = { ...settings }
  const generated: string[] = []
  for (const [name, schema] of Object.entries(declaredParameters(signature.parameters))) {
    if (Object.hasOwn(parameters, name)) continue
    if (schema['x-kitbag-secret'] === true) generated.push(name)
    else if (schema.default !== undefined) parameters[name] = schema.default
  }
  return { parameters, generated: generated.sort() }
}

/** Checks what a JSON Schema alone cannot say of a recipe's own `parameters:`. */
export function checkParameters(parameters: JsonObject, report: Report): void {
  const declared = declaredParameters(parameters)
  for (const [name, schema] of Object.entries(declared)) {
    const at = ['parameters', name]
    if (schema['x-kitbag-secret'] === true && schema.type !== 'string') {
      report(at, 'a secret is a string: say type: string')
    }
    if (schema['x-kitbag-secret'] === true && schema.default !== undefined) {
      report(at, 'a secret has no default: it is generated unless given')
    }
    for (const message of misfits(schema, schema.default)) report([...at, 'default'], message)
  }
  for (const name of (parameters.required ?? []) as string[]) {
    if (!Object.hasOwn(declared, name)) report(['parameters', 'required'], `"${name}" is no parameter of this recipe`)
  }
}

/** Why a value does not fit a parameter's schema; empty when it does, or when there is none. A secret is not repeated in it. */
export function misfits(schema: JsonObject, value: Json | undefined): string[] {
  if (value === undefined || value === null) return []
  const found = misfitsOf(schema, value)
  const secret = schema['x-kitbag-secret'] === true
  return secret ? found.map((message) => message.replace(/, found .*$/s, '')) : found
}

function misfitsOf(schema: JsonObject, value: Json): string[] {
  if (!hasType(String(schema.type), value)) return [`must be of type ${schema.type}, found ${JSON.stringify(value)}`]
  const found: string[] = []
  const refuse = (message: string) => found.push(`${message}, found ${JSON.stringify(value)}`)
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) refuse(`must be one of ${schema.enum.join(', ')}`)
  if (typeof value === 'number') {
    if (typeof schema.minimum === 'number' && value < schema.minimum) refuse(`must be at least ${schema.minimum}`)
    if (typeof schema.maximum === 'number' && value > schema.maximum) refuse(`must be at most ${schema.maximum}`)
  }
  if (typeof value === 'string') {
    const { length } = [...value]
    if (typeof schema.minLength === 'number' && length < schema.minLength)
      refuse(`must have ${schema.minLength} characters or more`)
    if (typeof schema.maxLength === 'number' && length > schema.maxLength)
      refuse(`must have ${schema.maxLength} characters or fewer`)
    if (typeof schema.pattern === 'string' && !matches(schema.pattern, value)) refuse(`must match ${schema.pattern}`)
  }
  if (Array.isArray(value) && typeof schema.items === 'object' && schema.items !== null) {
    for (const [index, item] of value.entries()) {
      found.push(...misfits(schema.items as JsonObject, item).map((message) => `item ${index}: ${message}`))
    }
  }
  return found
}

function hasType(type: string, value: Json): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}
