import type { JsonObject } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { isConcat, isReference } from '../model/value.ts'
import type { Path } from './document.ts'
import { ExpressionSyntaxError, parseExpression } from './expression.ts'
import { type Problems, show } from './problems.ts'

/** Every `${...}` below a value read; parameters put in with their type, the rest left as references. */
export function substitute(
  value: unknown,
  path: Path,
  parameters: JsonObject,
  declared: string[],
  problems: Problems,
): Value {
  if (typeof value === 'string') return substituteText(value, path, parameters, declared, problems)
  if (Array.isArray(value))
    return value.map((item, i) => substitute(item, [...path, i], parameters, declared, problems))
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        substitute(member, [...path, key], parameters, declared, problems),
      ]),
    )
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    problems.add(path, `${value} is not a number that JSON can hold`)
  else if (value !== null && !['number', 'boolean'].includes(typeof value))
    problems.add(path, `${show(value)} is not allowed here`)
  return value as Value
}

function substituteText(
  text: string,
  path: Path,
  parameters: JsonObject,
  declared: string[],
  problems: Problems,
): Value {
  if (text.includes('\0')) problems.add(path, 'a NUL character is not allowed')
  let parsed: Value
  try {
    parsed = parseExpression(text)
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error
    problems.add(path, error.message)
    return text
  }
  const parameter = (reference: string): Value | undefined => {
    const [root, name = '', ...rest] = reference.split('.')
    if (root !== 'parameters') return undefined
    if (!declared.includes(name) || rest.length > 0) {
      problems.add(path, `there is no parameter ${[name, ...rest].join('.')}`, { unknown: name, allowed: declared })
      return ''
    }
    // Not given: reported where parameters are; here any value of it would only add noise.
    return (parameters[name] as Value) ?? ''
  }
  if (isReference(parsed)) return parameter(parsed.$ref) ?? parsed
  if (!isConcat(parsed)) return parsed
  const parts = parsed.$concat.map((part) => {
    const value = typeof part === 'string' ? part : parameter(part.$ref)
    return value === undefined ? part : typeof value === 'string' ? value : String(value)
  })
  const merged: typeof parts = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part
    else merged.push(part)
  }
  const [only] = merged
  return merged.length === 1 && typeof only === 'string' ? only : { $concat: merged }
}
