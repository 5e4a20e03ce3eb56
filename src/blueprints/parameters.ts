import { isIPv4, isIPv6 } from 'node:net'
import type { Json, JsonObject } from '../model/json.ts'
import type { Problems } from './problems.ts'
import { show } from './problems.ts'
import type { ParameterDeclaration } from './schema.ts'

const formats: Record<string, (text: string) => boolean> = {
  hostname: (text) => text.length <= 253 && /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
}

/** Values of all parameters: given ones converted to their type, else defaults. Every problem is collected; unknown given names too. */
export function resolveParameters(
  declared: Record<string, ParameterDeclaration>,
  given: Record<string, Json | string>,
  problems: Problems,
): JsonObject {
  const values: JsonObject = {}
  const known = Object.keys(declared)
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      problems.add(['parameters'], `there is no parameter ${name}`, { unknown: name, allowed: known, at: 'key' })
  }
  for (const [name, declaration] of Object.entries(declared)) {
    const isGiven = Object.hasOwn(given, name)
    const value = isGiven ? convert(declaration, given[name] ?? null) : declaration.default
    if (value === undefined) {
      problems.add(['parameters', name], `the parameter ${name} is not given: say --set ${name}=VALUE`)
      continue
    }
    const path = ['parameters', name, ...(isGiven ? [] : ['default'])]
    const wrong = check(declaration, value)
    if (wrong)
      problems.add(path, `${isGiven ? 'the given value' : 'the default'} of ${name} ${wrong}`, { found: show(value) })
    values[name] = value
  }
  return values
}

function convert({ type }: ParameterDeclaration, value: Json): Json {
  if (typeof value !== 'string' || type === 'string') return value
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : value
}

/** What is wrong with a value, as the end of a sentence. */
function check(declaration: ParameterDeclaration, value: Json): string | undefined {
  const { type, minimum, maximum, minLength, maxLength, pattern, format } = declaration
  const fits = type === 'integer' ? Number.isSafeInteger(value) : typeof value === type
  if (!fits) return `is not ${type === 'integer' ? 'an' : 'a'} ${type}`
  if (declaration.enum && !declaration.enum.includes(value as string | number))
    return `is none of ${declaration.enum.join(', ')}`
  if (typeof value === 'number') {
    if (minimum !== undefined && value < minimum) return `is below the minimum ${minimum}`
    if (maximum !== undefined && value > maximum) return `is above the maximum ${maximum}`
  }
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'holds a NUL character'
    if (minLength !== undefined && value.length < minLength) return `is shorter than ${minLength} characters`
    if (maxLength !== undefined && value.length > maxLength) return `is longer than ${maxLength} characters`
    if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) return `does not match ${pattern}`
    if (format && !formats[format]?.(value)) return `is no ${format}`
  }
  return undefined
}
