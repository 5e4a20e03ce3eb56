import { matches } from '../lib/pattern.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { hasFormat } from './formats.ts'
import { addIssues } from './issues.ts'
import { type Problems, show } from './problems.ts'
import { type ParameterDeclaration, parameterSchema } from './schema.ts'

const namePattern = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** The `parameters:` section: what is declared, as far as it is right. `names` has the wrong ones too. */
export function readDeclarations(
  section: unknown,
  problems: Problems,
): { names: string[]; declared: Record<string, ParameterDeclaration> } {
  if (section === undefined || section === null) return { names: [], declared: {} }
  if (typeof section !== 'object' || Array.isArray(section)) {
    problems.add(['parameters'], 'must be a map of parameters by name', { found: show(section) })
    return { names: [], declared: {} }
  }
  const declared: [string, ParameterDeclaration][] = []
  for (const [name, value] of Object.entries(section)) {
    const path = ['parameters', name]
    const parsed = parameterSchema.safeParse(value)
    if (!namePattern.test(name))
      problems.add(path, 'a parameter’s name has letters, digits, _ and -, and begins with a letter', {
        found: name.slice(0, 80),
        at: 'key',
      })
    else if (!parsed.success) addIssues(problems, path, parsed.error.issues, value)
    else {
      checkWords(parsed.data, path, problems)
      declared.push([name, parsed.data])
    }
  }
  return { names: Object.keys(section), declared: Object.fromEntries(declared) }
}

/** Words of a declaration that mean nothing for its type, or no value could meet. */
function checkWords(declaration: ParameterDeclaration, path: string[], problems: Problems): void {
  const { type, minimum, maximum, minLength, maxLength } = declaration
  const numeric = type === 'integer' || type === 'number'
  for (const word of ['minimum', 'maximum'] as const) {
    if (declaration[word] !== undefined && !numeric)
      problems.add([...path, word], `${word} is for numbers, and this is of type ${type}`, { at: 'key' })
  }
  for (const word of ['minLength', 'maxLength', 'pattern', 'format'] as const) {
    if (declaration[word] !== undefined && type !== 'string')
      problems.add([...path, word], `${word} is for text, and this is of type ${type}`, { at: 'key' })
  }
  if ((minimum ?? -Infinity) > (maximum ?? Infinity))
    problems.add([...path, 'minimum'], 'is above the maximum', { found: String(minimum) })
  if ((minLength ?? 0) > (maxLength ?? Infinity))
    problems.add([...path, 'minLength'], 'is above maxLength', { found: String(minLength) })
  for (const [i, value] of (declaration.enum ?? []).entries()) {
    if (!hasType(type, value)) problems.add([...path, 'enum', i], `is not of type ${type}`, { found: show(value) })
  }
}

/**
 * Values of all parameters: given ones converted to their type, else defaults. Every problem is collected, unknown given names too; a
 * parameter with a problem has no value.
 */
export function resolveParameters(
  { names, declared }: { names: string[]; declared: Record<string, ParameterDeclaration> },
  given: Record<string, Json | string>,
  problems: Problems,
): JsonObject {
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      problems.add(['parameters'], `there is no parameter ${name.slice(0, 80)}`, {
        unknown: name.slice(0, 80),
        allowed: names,
        at: 'key',
      })
  }
  const values: [string, Json][] = []
  for (const [name, declaration] of Object.entries(declared)) {
    const isGiven = Object.hasOwn(given, name)
    const value = isGiven ? convert(declaration, given[name] ?? null) : declaration.default
    const wrong = value === undefined ? undefined : misfit(declaration, value)
    if (value === undefined)
      problems.add(['parameters', name], `the parameter ${name} is not given: say --set ${name}=VALUE`, { at: 'key' })
    else if (wrong) {
      const path = ['parameters', name, ...(isGiven ? [] : ['default'])]
      const details = { found: show(value), ...(declaration.enum && { allowed: declaration.enum.map(String) }) }
      problems.add(path, `the ${isGiven ? 'given value' : 'default'} of ${name} ${wrong}`, {
        ...details,
        at: isGiven ? 'key' : 'value',
      })
    } else values.push([name, value])
  }
  return Object.fromEntries(values)
}

function convert({ type }: ParameterDeclaration, value: Json): Json {
  if (typeof value !== 'string' || type === 'string') return value
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return /^[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/.test(value) ? Number(value) : value
}

function hasType(type: ParameterDeclaration['type'], value: Json): boolean {
  if (type === 'integer') return Number.isSafeInteger(value)
  return type === 'number' ? Number.isFinite(value) : typeof value === type
}

/** What is wrong with a value, as the end of a sentence. */
function misfit(declaration: ParameterDeclaration, value: Json): string | undefined {
  const { type, minimum, maximum } = declaration
  if (!hasType(type, value)) return `is not ${type === 'integer' ? 'an' : 'a'} ${type}`
  if (declaration.enum && !declaration.enum.includes(value as string | number)) return 'is none of those allowed'
  if (typeof value === 'number') {
    if (minimum !== undefined && value < minimum) return `is below the minimum ${minimum}`
    if (maximum !== undefined && value > maximum) return `is above the maximum ${maximum}`
  }
  return typeof value === 'string' ? textMisfit(declaration, value) : undefined
}

function textMisfit({ minLength, maxLength, pattern, format }: ParameterDeclaration, text: string): string | undefined {
  const { length } = [...text]
  if (text.includes('\0') || !text.isWellFormed()) return 'holds a NUL character or half a surrogate pair'
  if (minLength !== undefined && length < minLength) return `is shorter than ${minLength} characters`
  if (maxLength !== undefined && length > maxLength) return `is longer than ${maxLength} characters`
  if (pattern !== undefined && !matches(`^(?:${pattern})$`, text)) return `does not match ${pattern}`
  if (format && !hasFormat(format, text)) return `is no ${format}`
  return undefined
}
