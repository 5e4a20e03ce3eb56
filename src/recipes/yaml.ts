import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Problem } from '../model/errors.ts'

/** A YAML file with the place of everything in it. */
export interface YamlSource {
  value: unknown
  /** Place of the value at a path; of the nearest parent where there is none. */
  place(path: PropertyKey[], options?: { key?: boolean }): Pick<Problem, 'file' | 'line' | 'column'>
  /** What to add to a line and a column inside the text at a path to get its place in the file. */
  offset(path: PropertyKey[]): { line: number; column: number }
  problems: Problem[]
}

/** recipe.yaml is read whole into memory and shown in errors; real ones are a few KiB. */
const maxBytes = 256 * 1024
const maxDepth = 64

/** Reads YAML 1.2, refusing duplicate keys, bombs of aliases, `__proto__` and deep nesting. All problems at once; never throws. */
export function readYaml(text: string, file: string): YamlSource {
  const counter = new LineCounter()
  const problems: Problem[] = []
  const refuse = (message: string, offset = 0) => {
    const { line, col } = counter.linePos(offset)
    problems.push({ path: '', message, file, line: Math.max(line, 1), column: Math.max(col, 1) })
  }
  const nothing: YamlSource = {
    value: undefined,
    place: () => ({ file }),
    offset: () => ({ line: 0, column: 0 }),
    problems,
  }
  if (Buffer.byteLength(text) > maxBytes) {
    refuse(`is larger than ${maxBytes / 1024} KiB`)
    return nothing
  }
  // The parser recurses: nesting is bounded before it runs.
  if (deepest(text) > maxDepth) {
    refuse(`is nested deeper than ${maxDepth} levels`)
    return nothing
  }
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false })
  for (const error of [...document.errors, ...document.warnings]) refuse(error.message, error.pos[0])
  if (problems.length > 0) return nothing
  refuseKeys(document.contents, (key, offset) => refuse(`the key "${key}" is not allowed`, offset))
  const place = placeIn(document, counter, file)
  const offset = (path: PropertyKey[]) => {
    const { line: keyLine = 1 } = place(path, { key: true })
    const { line = 1, column = 1 } = place(path)
    const first = text.split('\n')[keyLine] ?? ''
    if (/^[|>]/.test(textAt(text, line, column)))
      return { line: keyLine, column: first.length - first.trimStart().length }
    return { line: line - 1, column: column - 1 + (/^["']/.test(textAt(text, line, column)) ? 1 : 0) }
  }
  try {
    return { value: document.toJS({ maxAliasCount: 50 }), place, offset, problems }
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
    return nothing
  }
}

function textAt(text: string, line: number, column: number): string {
  return (text.split('\n')[line - 1] ?? '').slice(column - 1)
}

function deepest(text: string): number {
  let open = 0
  let deepest = 0
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length
    const dashes = /^(?:\s*[-?:]\s+)*/.exec(line)?.[0].length ?? 0
    deepest = Math.max(deepest, Math.floor(indent / 2), Math.ceil(dashes / 2))
    for (const character of line) {
      if (character === '[' || character === '{') deepest = Math.max(deepest, ++open)
      else if (character === ']' || character === '}') open = Math.max(0, open - 1)
    }
  }
  // Brackets inside texts count too: texts with 64 unclosed ones do not occur in recipes.
  return deepest
}

function refuseKeys(node: unknown, refuse: (key: string, offset: number) => void): void {
  if (isSeq(node)) for (const item of node.items) refuseKeys(item, refuse)
  if (!isMap(node)) return
  for (const { key, value } of node.items) {
    if (isScalar(key) && (key.value === '__proto__' || key.value === 'constructor' || key.value === 'prototype')) {
      refuse(key.value, key.range?.[0] ?? 0)
    }
    refuseKeys(value, refuse)
  }
}

function placeIn(document: Document, counter: LineCounter, file: string): YamlSource['place'] {
  return (path, options) => {
    let node: unknown = document.contents
    let found: Node | null = document.contents
    for (const [index, part] of path.entries()) {
      const last = index === path.length - 1
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
        if (!pair) break
        if (last && options?.key) found = pair.key as Node
        else found = (pair.value ?? pair.key) as Node
        node = pair.value
      } else if (isSeq(node) && typeof part === 'number' && node.items[part] !== undefined) {
        node = node.items[part]
        found = node as Node
      } else break
    }
    const { line, col } = counter.linePos(found?.range?.[0] ?? 0)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}
