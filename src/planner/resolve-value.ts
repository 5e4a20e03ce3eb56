import { KitbagError } from '../model/errors.ts'
import { isConcat, isReference, type Value } from '../model/value.ts'

/** Gives what a reference names. Throws KitbagError `internal` when that does not exist (yet). */
export type Lookup = (reference: string) => unknown

/** A value with every reference replaced by what it names. A whole reference keeps its type, one inside text becomes text. */
export function resolveValue(value: Value, lookup: Lookup): unknown {
  if (isReference(value)) return lookup(value.$ref)
  if (isConcat(value))
    return value.$concat.map((part) => (typeof part === 'string' ? part : asText(lookup(part.$ref)))).join('')
  if (Array.isArray(value)) return value.map((item) => resolveValue(item, lookup))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolveValue(member, lookup)]))
  }
  return value
}

/** How a value stands in text and in an environment variable: lists and objects as JSON. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  return value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** One environment variable. Throws `invalid-request` for a NUL, which no environment can hold. */
export function envText(component: string, name: string, value: unknown): string {
  const text = asText(value)
  if (!text.includes('\0')) return text
  throw new KitbagError(
    'invalid-request',
    `components.${component}.env.${name} holds a NUL character, which no environment can hold`,
    {
      fix: 'Encode it (base64) and decode it in the application.',
    },
  )
}
