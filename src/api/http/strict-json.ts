import { KitbagError } from '../../model/errors.ts'
import type { Json } from '../../model/json.ts'

/** Objects and arrays inside one another, at most: far above any request, far below what would cost a stack. */
const deepest = 64

/**
 * Reads JSON as RFC 8259 has it, and refuses what readers disagree on: a key given twice, `__proto__` as a key, NUL characters,
 * lone surrogates, and nesting past 64 levels. Throws `invalid-request` with the path, line and column of the first such place.
 */
export function parseStrictJson(text: string): Json {
  return new Reader(text).document()
}

/** Bytes as text. Throws `invalid-request` naming the offset of the first byte that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const offset = firstBadByte(bytes)
    throw new KitbagError('invalid-request', `the body is not UTF-8: byte ${offset} cannot be decoded`, {
      cause,
      fix: 'Send the body as UTF-8.',
      problems: [{ path: '', message: `not UTF-8 at byte ${offset}` }],
    })
  }
}

function firstBadByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let at = 0; at < bytes.length; at++) {
    try {
      decoder.decode(bytes.subarray(at, at + 1), { stream: true })
    } catch {
      return at
    }
  }
  return bytes.length
}

/** Matches, from where it is told, the longest run that needs no look at single characters. */
const blanks = /[ \t\n\r]*/y
const numbers = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const strings = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y

class Reader {
  readonly #text: string
  #at = 0
  readonly #path: (string | number)[] = []

  constructor(text: string) {
    this.#text = text
  }

  document(): Json {
    const value = this.#value()
    this.#skipBlanks()
    if (this.#at < this.#text.length) throw this.#refusal('there is more text after the end of the JSON value')
    return value
  }

  #value(): Json {
    this.#skipBlanks()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#array())
      case '"':
        return this.#string('value')
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #nested<T>(read: () => T): T {
    if (this.#path.length >= deepest) throw this.#refusal(`nested more than ${deepest} levels deep`)
    this.#at++
    return read()
  }

  #object(): Json {
    const members = new Map<string, Json>()
    if (this.#take('}')) return {}
    do {
      this.#skipBlanks()
      const start = this.#at
      if (this.#text[start] !== '"') throw this.#unexpected('a key in double quotes')
      const key = this.#string('key')
      this.#path.push(key)
      if (key === '__proto__') throw this.#refusal('the key __proto__ is not allowed', start)
      if (members.has(key)) throw this.#refusal(`the key ${JSON.stringify(key)} is given twice`, start)
      if (!this.#take(':')) throw this.#unexpected('":"')
      members.set(key, this.#value())
      this.#path.pop()
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#unexpected('"," or "}"')
    return Object.fromEntries(members)
  }

  #array(): Json {
    const items: Json[] = []
    if (this.#take(']')) return items
    do {
      this.#path.push(items.length)
      items.push(this.#value())
      this.#path.pop()
    } while (this.#take(','))
    if (!this.#take(']')) throw this.#unexpected('"," or "]"')
    return items
  }

  #string(what: 'key' | 'value'): string {
    const start = this.#at
    const token = this.#match(strings)
    if (token === undefined) throw this.#refusal(`this ${what} is not a JSON string`)
    const text = JSON.parse(token) as string
    if (text.includes('\0')) throw this.#refusal(`this ${what} holds a NUL character`, start)
    if (!text.isWellFormed()) throw this.#refusal(`this ${what} holds a lone surrogate`, start)
    return text
  }

  #number(): number {
    const token = this.#match(numbers)
    if (token === undefined) throw this.#unexpected('a JSON value')
    const number = Number(token)
    if (!Number.isFinite(number)) throw this.#refusal('this number is too large')
    return number
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a JSON value')
    this.#at += word.length
    return value
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const token = pattern.exec(this.#text)?.[0]
    if (token !== undefined) this.#at = pattern.lastIndex
    return token
  }

  #take(mark: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #skipBlanks(): void {
    this.#match(blanks)
  }

  #unexpected(allowed: string): KitbagError {
    const found = this.#text[this.#at]
    return this.#refusal(
      `found ${found === undefined ? 'the end of the text' : JSON.stringify(found)} instead of ${allowed}`,
    )
  }

  #refusal(message: string, at = this.#at): KitbagError {
    const before = this.#text.slice(0, at).split('\n')
    const path = this.#path.join('.')
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    return new KitbagError(
      'invalid-request',
      `${path || 'the body'}: ${message} (line ${place.line}, column ${place.column})`,
      {
        problems: [{ path, message, ...place }],
      },
    )
  }
}
