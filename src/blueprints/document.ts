import { type Document, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml'
import { KitbagError, type Problem } from '../model/errors.ts'

/** Bytes of UTF-8. */
export const maxBlueprintSize = 1 << 20
/** Levels of nesting; a blueprint needs fewer than 10. */
const maxDepth = 100
const maxAliases = 100

export type Path = (string | number)[]

/** A parsed YAML text that knows where everything stands. */
export interface BlueprintDocument {
  value: unknown
  /** Place of the value at a path, or of its key. Falls back to the nearest parent that exists. */
  place(path: Path, at?: 'value' | 'key'): Pick<Problem, 'file' | 'line' | 'column'>
}

function refuse(file: string, message: string, place: { line?: number; column?: number } = {}): never {
  const problem: Problem = { path: '', message, file, ...place }
  throw new KitbagError(
    'invalid-blueprint',
    `${file}${place.line ? `:${place.line}:${place.column}` : ''}: ${message}`,
    { problems: [problem] },
  )
}

function placeAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** What no YAML text may hold, and depth, by a scan that cannot overflow a stack. */
function scan(file: string, text: string): void {
  if (Buffer.byteLength(text) > maxBlueprintSize) refuse(file, `a blueprint has at most ${maxBlueprintSize} bytes`)
  const bad = text.search(/[\0\uFFFD]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/)
  if (bad >= 0)
    refuse(
      file,
      'a character that UTF-8 text cannot hold (NUL, half a surrogate pair, or bytes that are no UTF-8)',
      placeAt(text, bad),
    )
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '[' || c === '{') depth++
    else if (c === ']' || c === '}') depth = Math.max(0, depth - 1)
    else if (c === '\n' && !/\s/.test(text[i + 1] ?? '')) depth = 0
    if (depth > maxDepth) refuse(file, `nested deeper than ${maxDepth} levels`, placeAt(text, i))
  }
  const dashes = /^[ \t]*(?:[-?] +){50,}/m.exec(text)
  const indented = /^ {1000}/m.exec(text)
  const deep = dashes ?? indented
  if (deep) refuse(file, `nested deeper than ${maxDepth} levels`, placeAt(text, deep.index))
}

/** Parses one YAML document. Throws `invalid-blueprint` with all syntax problems, duplicate keys and over-used aliases. */
export function readDocument(text: string, file: string): BlueprintDocument {
  scan(file, text)
  const lines = new LineCounter()
  let document: Document.Parsed
  let value: unknown
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, version: '1.2' })
    const problems = [
      ...document.errors.map(({ message, pos }) => ({ message, offset: pos[0] })),
      ...unsafeKeys(document),
    ]
    if (problems.length > 0) throw syntaxError(file, lines, problems)
    value = document.toJS({ maxAliasCount: maxAliases })
  } catch (error) {
    if (error instanceof KitbagError) throw error
    if (error instanceof RangeError) refuse(file, `nested deeper than ${maxDepth} levels`)
    refuse(
      file,
      error instanceof ReferenceError
        ? `more than ${maxAliases} values by alias: write them out`
        : String((error as Error).message),
    )
  }
  return {
    value,
    place(path, at = 'value') {
      const offset = offsetOf(document, path, at)
      const { line, col } = lines.linePos(offset)
      return { file, line, column: col }
    },
  }
}

function syntaxError(file: string, lines: LineCounter, found: { message: string; offset: number }[]): KitbagError {
  const problems = found.map(({ message, offset }): Problem => {
    const { line, col } = lines.linePos(offset)
    return { path: '', message, file, line, column: col }
  })
  const [first] = problems
  return new KitbagError('invalid-blueprint', `${file}:${first?.line}:${first?.column}: ${first?.message}`, {
    problems,
  })
}

/** Keys that would touch an object's own machinery, and keys that are no text. */
function unsafeKeys(document: Document.Parsed): { message: string; offset: number }[] {
  const found: { message: string; offset: number }[] = []
  visit(document, {
    Pair(_, pair) {
      const key = pair.key as Node | null
      const offset = key?.range?.[0] ?? 0
      if (!isScalar(key)) found.push({ message: 'a key must be text', offset })
      else if (['__proto__', 'constructor', 'prototype'].includes(String(key.value))) {
        found.push({ message: `the key ${key.value} is not allowed`, offset })
      }
    },
  })
  return found
}

function offsetOf(document: Document.Parsed, path: Path, at: 'value' | 'key'): number {
  for (let length = path.length; length >= 0; length--) {
    const part = path.slice(0, length)
    const key = part.at(-1)
    const parent = document.getIn(part.slice(0, -1), true)
    if ((at === 'key' || length < path.length) && key !== undefined && isMap(parent)) {
      const pair = parent.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(key))
      const offset = (pair?.key as Node | undefined)?.range?.[0]
      if (offset !== undefined) return offset
    }
    const node = document.getIn(part, true) as Node | undefined
    if (node?.range) return node.range[0]
  }
  return 0
}
