/**
 * A value of a blueprint after parameters are resolved: JSON in which what exists only later (addresses, secrets, outputs of
 * other components) is still a reference. Stored in releases and plans; resolved by the activity that needs it, just before use.
 */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value } | Reference | Concat

/** `${db.url}` -> `{ $ref: 'db.url' }`. A reference that is the whole scalar keeps the type of what it names. */
export interface Reference {
  $ref: string
}

/** `postgres://${db.host}/x` -> text with references inside; always resolves to a string. */
export interface Concat {
  $concat: (string | Reference)[]
}

export function isReference(value: unknown): value is Reference {
  return typeof value === 'object' && value !== null && typeof (value as Reference).$ref === 'string'
}

export function isConcat(value: unknown): value is Concat {
  return typeof value === 'object' && value !== null && Array.isArray((value as Concat).$concat)
}

/** Every reference inside a value, in document order, with repeats. */
export function referencesIn(value: Value): string[] {
  if (isReference(value)) return [value.$ref]
  if (isConcat(value)) return value.$concat.flatMap((part) => (typeof part === 'string' ? [] : [part.$ref]))
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(referencesIn)
  return []
}

/** The component or service that a reference names (`db.url` -> `db`). */
export function referenceOwner(reference: string): string {
  return reference.split('.', 1)[0] ?? reference
}
