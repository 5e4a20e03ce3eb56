import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** How the SDK of the network types describes a model: what it would send and read. */
interface Mapper {
  readOnly?: boolean
  required?: boolean
  serializedName?: string
  type: {
    name: string
    className?: string
    modelProperties?: Record<string, Mapper>
    element?: Mapper
    value?: Mapper
    allowedValues?: unknown[]
  }
}

const sdk = dirname(createRequire(import.meta.url).resolve('@azure/arm-network/package.json'))
const mappers = (await import(pathToFileURL(join(sdk, 'dist/esm/models/mappers.js')).href)) as Record<string, Mapper>

/**
 * What of a body does not fit the SDK's own model, as `path: what`: unknown properties, wrong types, missing ones, and, in a request, those
 * that only Azure writes.
 */
export function misfits(model: string, body: unknown, direction: 'request' | 'answer'): string[] {
  const mapper = mappers[model]
  if (!mapper) throw new Error(`the SDK has no model ${model}`)
  return composite(mapper, body, model, direction)
}

function composite(mapper: Mapper, body: unknown, path: string, direction: 'request' | 'answer'): string[] {
  const { className = '', modelProperties } = mapper.type
  const properties = modelProperties ?? mappers[className]?.type.modelProperties ?? {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [`${path}: not an object`]
  const problems: string[] = []
  const known = new Set<string>()
  for (const property of Object.values(properties)) {
    const name = property.serializedName ?? ''
    known.add(name)
    const value = at(body, name)
    if (value === undefined || value === null) {
      if (property.required && direction === 'request') problems.push(`${path}.${name}: required`)
      continue
    }
    if (property.readOnly && direction === 'request') problems.push(`${path}.${name}: read-only`)
    problems.push(...check(property, value, `${path}.${name}`, direction))
  }
  for (const name of leaves(body as Record<string, unknown>, known)) problems.push(`${path}.${name}: unknown`)
  return problems
}

function check(mapper: Mapper, value: unknown, path: string, direction: 'request' | 'answer'): string[] {
  const { name, element, value: each } = mapper.type
  if (name === 'Composite') return composite(mapper, value, path, direction)
  if (name === 'Sequence') {
    if (!Array.isArray(value)) return [`${path}: not a list`]
    return element ? value.flatMap((one, i) => check(element, one, `${path}[${i}]`, direction)) : []
  }
  if (name === 'Dictionary') {
    return each
      ? Object.entries(value as object).flatMap(([key, one]) => check(each, one, `${path}.${key}`, direction))
      : []
  }
  const wanted = { String: 'string', Boolean: 'boolean', Number: 'number' }[name]
  return wanted !== undefined && typeof value !== wanted ? [`${path}: not a ${wanted}`] : []
}

function at(body: object, name: string): unknown {
  return name.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body)
}

/** Names of a body, `properties.x` for what is below `properties`, that no model property has. */
function leaves(body: Record<string, unknown>, known: Set<string>): string[] {
  return Object.entries(body).flatMap(([key, value]) => {
    if (known.has(key)) return []
    const nested = [...known].some((name) => name.startsWith(`${key}.`))
    if (!nested) return [key]
    return Object.keys((value ?? {}) as object)
      .map((inner) => `${key}.${inner}`)
      .filter((name) => !known.has(name))
  })
}
