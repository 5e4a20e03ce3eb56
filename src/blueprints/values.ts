import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { isFitText } from './text.ts'

/** Where a value and its key stand, as offsets into the text. */
export interface Spot {
  offset: number
  key?: number
  /** Entries of a map by key, of a list by index. */
  inner?: Map<string | number, Spot>
  /** A scalar without quotes, as written. */
  plain?: string
}

export interface Fault {
  message: string
  offset: number
  path: (string | number)[]
}

/** Values in the whole, those that aliases repeat counted each time. The largest sensible blueprint has a few thousand. */
const maxValues = 20_000
/** Names with a meaning of their own: JavaScript's, and the ones that stored references have. */
const unsafeKeys = ['__proto__', 'constructor', 'prototype', '$ref', '$concat']

class TooMuch extends Error {}

/**
 * Plain JSON of a parsed document, and the spot of every value in it. Faults are collected: duplicate keys, keys that are no text, text that
 * cannot be kept, numbers that would lose digits, aliases to nowhere or to themselves.
 */
export function readValues(
  document: Document.Parsed,
  maxDepth: number,
): { value: unknown; root: Spot | undefined; faults: Fault[] } {
  const reader = new ValueReader(maxDepth)
  try {
    const { value, spot } = reader.read(document.contents as Node | null, 0)
    return { value, root: spot, faults: reader.faults }
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
    return { value: null, root: undefined, faults: [...reader.faults, reader.fault(error.message)] }
  }
}

interface Read {
  value: unknown
  spot: Spot
}

class ValueReader {
  readonly faults: Fault[] = []
  /** Offset and path of the value being read. */
  #at = 0
  readonly #path: (string | number)[] = []
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  readonly #maxDepth: number
  #count = 0

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
  }

  fault(message: string, offset = this.#at): Fault {
    return { message, offset, path: [...this.#path] }
  }

  #refuse(message: string, offset?: number): void {
    this.faults.push(this.fault(message, offset))
  }

  /** What stands under this key or index. */
  #below(key: string | number, node: Node | null, fallback: number): Read {
    this.#path.push(key)
    const read = this.read(node, fallback)
    this.#path.pop()
    return read
  }

  read(node: Node | null, fallback: number): Read {
    const offset = node?.range?.[0] ?? fallback
    this.#at = offset
    if (node && !isAlias(node) && node.tag) this.#refuse(`a tag (${node.tag}): tags are not taken`)
    if (++this.#count > maxValues)
      throw new TooMuch(`more than ${maxValues} values, those that aliases repeat counted each time: write less`)
    if (this.#path.length > this.#maxDepth) throw new TooMuch(`nested deeper than ${this.#maxDepth} levels`)
    if (node && !isAlias(node) && node.anchor) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#map(node, offset)
    if (isSeq(node)) return this.#list(node, offset)
    if (isAlias(node)) return this.#alias(node, offset)
    return isScalar(node) ? this.#scalar(node, offset) : { value: null, spot: { offset } }
  }

  #map(node: YAMLMap, offset: number): Read {
    this.#open.add(node)
    const entries = new Map<string, unknown>()
    const inner = new Map<string | number, Spot>()
    for (const pair of node.items) {
      const keyNode = pair.key as Node | null
      const at = keyNode?.range?.[0] ?? offset
      if (!isScalar(keyNode)) {
        this.#refuse('a key must be text', at)
        continue
      }
      const key = String(keyNode.value ?? '')
      if (!isFitText(key)) this.#refuse('a key that no text can hold', at)
      else if (unsafeKeys.includes(key)) this.#refuse(`the key ${key} is not allowed`, at)
      else if (entries.has(key)) this.#refuse(`the key ${key} stands here twice`, at)
      const { value, spot } = this.#below(key, pair.value as Node | null, keyNode.range?.[1] ?? at)
      entries.set(key, value)
      inner.set(key, { ...spot, key: at })
    }
    this.#open.delete(node)
    return { value: Object.fromEntries(entries), spot: { offset, inner } }
  }

  #list(node: YAMLSeq, offset: number): Read {
    this.#open.add(node)
    const inner = new Map<string | number, Spot>()
    const value = node.items.map((item, i) => {
      const read = this.#below(i, item as Node | null, offset)
      inner.set(i, read.spot)
      return read.value
    })
    this.#open.delete(node)
    return { value, spot: { offset, inner } }
  }

  #alias(node: Alias, offset: number): Read {
    const target = this.#anchors.get(node.source)
    if (target && !this.#open.has(target)) return this.read(target, offset)
    this.#refuse(target ? `*${node.source} stands within &${node.source}` : `there is no &${node.source} before`)
    return { value: null, spot: { offset } }
  }

  #scalar({ value, source, type }: Scalar, offset: number): Read {
    const plain = type === 'PLAIN' && source !== undefined ? { plain: source } : {}
    if (typeof value === 'string' && !isFitText(value))
      this.#refuse('a NUL character or half a surrogate pair, which no text can hold')
    if (typeof value === 'number' && !Number.isFinite(value)) this.#refuse(`${source} is no number that JSON can hold`)
    else if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      this.#refuse(`${source} has more digits than a number can hold: write it in quotes`)
    return { value, spot: { offset, ...plain } }
  }
}
