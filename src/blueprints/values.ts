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
}

/** Values in the whole, those that aliases repeat counted each time. The largest sensible blueprint has a few thousand. */
const maxValues = 50_000
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
    const { value, spot } = reader.read(document.contents as Node | null, 0, 0)
    return { value, root: spot, faults: reader.faults }
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
    return { value: null, root: undefined, faults: [...reader.faults, { message: error.message, offset: reader.at }] }
  }
}

interface Read {
  value: unknown
  spot: Spot
}

class ValueReader {
  readonly faults: Fault[] = []
  /** Offset of the value being read. */
  at = 0
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  readonly #maxDepth: number
  #count = 0

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
  }

  read(node: Node | null, fallback: number, depth: number): Read {
    const offset = node?.range?.[0] ?? fallback
    this.at = offset
    if (++this.#count > maxValues)
      throw new TooMuch(`more than ${maxValues} values, those that aliases repeat counted each time: write less`)
    if (depth > this.#maxDepth) throw new TooMuch(`nested deeper than ${this.#maxDepth} levels`)
    if (node && !isAlias(node) && node.anchor) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#map(node, offset, depth)
    if (isSeq(node)) return this.#list(node, offset, depth)
    if (isAlias(node)) return this.#alias(node, offset, depth)
    return isScalar(node) ? this.#scalar(node, offset) : { value: null, spot: { offset } }
  }

  #map(node: YAMLMap, offset: number, depth: number): Read {
    this.#open.add(node)
    const entries = new Map<string, unknown>()
    const inner = new Map<string | number, Spot>()
    for (const pair of node.items) {
      const keyNode = pair.key as Node | null
      const at = keyNode?.range?.[0] ?? offset
      if (!isScalar(keyNode)) {
        this.faults.push({ message: 'a key must be text', offset: at })
        continue
      }
      const key = String(keyNode.value ?? '')
      if (!isFitText(key)) this.faults.push({ message: 'a key that no text can hold', offset: at })
      else if (unsafeKeys.includes(key)) this.faults.push({ message: `the key ${key} is not allowed`, offset: at })
      else if (entries.has(key)) this.faults.push({ message: `the key ${key} stands here twice`, offset: at })
      const { value, spot } = this.read(pair.value as Node | null, keyNode.range?.[1] ?? at, depth + 1)
      entries.set(key, value)
      inner.set(key, { ...spot, key: at })
    }
    this.#open.delete(node)
    return { value: Object.fromEntries(entries), spot: { offset, inner } }
  }

  #list(node: YAMLSeq, offset: number, depth: number): Read {
    this.#open.add(node)
    const inner = new Map<string | number, Spot>()
    const value = node.items.map((item, i) => {
      const read = this.read(item as Node | null, offset, depth + 1)
      inner.set(i, read.spot)
      return read.value
    })
    this.#open.delete(node)
    return { value, spot: { offset, inner } }
  }

  #alias(node: Alias, offset: number, depth: number): Read {
    const target = this.#anchors.get(node.source)
    if (target && !this.#open.has(target)) return this.read(target, offset, depth)
    const message = target ? `*${node.source} stands within &${node.source}` : `there is no &${node.source} before`
    this.faults.push({ message, offset })
    return { value: null, spot: { offset } }
  }

  #scalar({ value, source, type }: Scalar, offset: number): Read {
    const plain = type === 'PLAIN' && source !== undefined ? { plain: source } : {}
    const fault = (message: string) => this.faults.push({ message, offset })
    if (typeof value === 'string' && !isFitText(value))
      fault('a NUL character or half a surrogate pair, which no text can hold')
    if (typeof value === 'number' && !Number.isFinite(value)) fault(`${source} is no number that JSON can hold`)
    else if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      fault(`${source} has more digits than a number can hold: write it in quotes`)
    return { value, spot: { offset, ...plain } }
  }
}
