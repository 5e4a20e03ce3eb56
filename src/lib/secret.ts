import { inspect } from 'node:util'

/** A value that must not be shown. Prints as `[secret]` wherever it is put into text, JSON or a log. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value in clear; call it at the last moment only. */
  expose(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Shorter ones are not worth hiding, and would blank out ordinary words. */
const shortest = 4

/**
 * Replaces every occurrence of each secret in a text by `[secret]`: as it is, as it stands inside JSON, and encoded for a URL.
 * Of secrets that hold one another the longest goes first.
 */
export function redact(text: string, secrets: string[]): string {
  const shapes = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < shortest) continue
    shapes.add(secret)
    shapes.add(JSON.stringify(secret).slice(1, -1))
    shapes.add(encodeURIComponent(Buffer.from(secret).toString()))
  }
  let result = text
  for (const shape of [...shapes].sort((a, b) => b.length - a.length)) result = result.replaceAll(shape, '[secret]')
  return result
}
