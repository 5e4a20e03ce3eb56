import type { JsonObject } from '../model/json.ts'
import { type Concat, isConcat, isReference, type Reference, type Value } from '../model/value.ts'
import { ExpressionSyntaxError, parseExpression } from './expression.ts'
import { lateHere } from './issues.ts'
import type { Path } from './path.ts'
import type { Problems } from './problems.ts'

export interface Substitution {
  /** Values of parameters; those that are declared and have none are told of elsewhere. */
  parameters: JsonObject
  declared: string[]
  problems: Problems
}

/** Places where what is known only later may stand: a service's own schema says where in its section. */
function mayBeLate([section, , field]: Path): boolean {
  return section === 'toolkit' || (section === 'components' && (field === 'env' || field === 'settings'))
}

/** Every `${...}` below a value read; parameters put in with their type, the rest left as references where they may stand. */
export function substitute(value: unknown, path: Path, scope: Substitution): Value {
  if (typeof value === 'string') return substituteText(value, path, scope)
  if (Array.isArray(value)) return value.map((item, i) => substitute(item, [...path, i], scope))
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => [key, substitute(member, [...path, key], scope)])
    return Object.fromEntries(members)
  }
  return value as Value
}

function substituteText(text: string, path: Path, scope: Substitution): Value {
  const { problems } = scope
  try {
    const value = withParameters(parseExpression(text), path, scope)
    const late = isReference(value) || isConcat(value)
    // Below `settings` or `env`, never in place of the map itself.
    if (!late || (mayBeLate(path) && path.length > (path[0] === 'toolkit' ? 2 : 3))) return value
    problems.add(path, lateHere, { found: text.slice(0, 80) })
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error
    problems.add(path, error.message)
  }
  problems.mute(path)
  return ''
}

function withParameters(parsed: string | Reference | Concat, path: Path, scope: Substitution): Value {
  if (isReference(parsed)) return parameter(parsed.$ref, path, scope) ?? parsed
  if (!isConcat(parsed)) return parsed
  const parts: Concat['$concat'] = []
  for (const part of parsed.$concat) {
    const value = typeof part === 'string' ? part : parameter(part.$ref, path, scope)
    const next = value === undefined ? part : String(value)
    const last = parts.at(-1)
    if (typeof next === 'string' && typeof last === 'string') parts[parts.length - 1] = last + next
    else parts.push(next)
  }
  const [only = ''] = parts
  return parts.length <= 1 && typeof only === 'string' ? only : { $concat: parts }
}

/** Value of a parameter; undefined when the reference names none. */
function parameter(reference: string, path: Path, { parameters, declared, problems }: Substitution): Value | undefined {
  const [root, ...rest] = reference.split('.')
  if (root !== 'parameters') return undefined
  const name = rest.join('.')
  if (Object.hasOwn(parameters, name)) return parameters[name] as Value
  if (!declared.includes(name))
    problems.add(path, `\${${reference}}: there is no parameter ${name}`, { unknown: name, allowed: declared })
  problems.mute(path)
  return ''
}
