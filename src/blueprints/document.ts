import { Composer, CST, type Document, Lexer, LineCounter, Parser } from 'yaml'
import { KitbagError, type Problem } from '../model/errors.ts'
import { type Path, pathText } from './path.ts'
import { checkText, placeAt, refuse } from './text.ts'
import { type Fault, readValues, type Spot } from './values.ts'

export { maxBlueprintSize } from './text.ts'

/** Levels of nesting; a blueprint needs fewer than 10. Composing recurses, so deeper ones are refused while tokens are read. */
const maxDepth = 64
const tooDeep = `nested deeper than ${maxDepth} levels`
/** Words, marks and line breaks. Parsing this many takes a third of a second, so that a text of more is refused before it is parsed. */
const maxLexemes = 100_000
/** Syntax errors told: one slip often brings a rain of them. */
const maxSyntaxErrors = 20

export type Place = Pick<Problem, 'file' | 'line' | 'column'>

/** A parsed YAML text that knows where everything stands. */
export interface BlueprintDocument {
  value: unknown
  /** Place of the value at a path, or of its key. Falls back to the nearest parent that exists. */
  place(path: Path, at?: 'value' | 'key'): Place
  /** A scalar as it is written, without quotes; undefined for what is in quotes, no scalar, or not there. */
  plainText(path: Path): string | undefined
}

/**
 * Parses one YAML document. Throws `too-large`, or `invalid-blueprint` with all syntax problems: duplicate keys, keys that would touch
 * an object's own machinery, tags, too deep nesting, and aliases that make more of a text than it is.
 */
export function readDocument(text: string, file: string): BlueprintDocument {
  checkText(text, file)
  const lines = new LineCounter()
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const document = compose(text, file, lines)
  const faults = [...document.errors, ...document.warnings].map(
    ({ message, pos }): Fault => ({ message, offset: pos[0], path: [] }),
  )
  if (document.directives?.yaml.explicit)
    faults.push({ message: 'directives (%YAML) are not taken', offset: 0, path: [] })
  const {
    value,
    root,
    faults: found,
  } = faults.length > 0 ? { value: null, root: undefined, faults: [] } : readValues(document, maxDepth)
  faults.push(...found)
  if (faults.length > 0)
    throw syntaxError(faults.map(({ message, offset, path }) => ({ path: pathText(path), message, ...place(offset) })))

  const spotOf = (path: Path): Spot | undefined => {
    let spot = root
    for (const key of path) spot = spot?.inner?.get(key)
    return spot
  }
  return {
    value,
    place(path, at = 'value') {
      for (let length = path.length; length > 0; length--) {
        const spot = spotOf(path.slice(0, length))
        // What is missing is missing from its parent: the parent's key says which.
        if (spot) return place(at === 'key' || length < path.length ? (spot.key ?? spot.offset) : spot.offset)
      }
      return place(root?.offset ?? 0)
    },
    plainText: (path) => spotOf(path)?.plain,
  }
}

function compose(text: string, file: string, lines: LineCounter): Document.Parsed {
  const options = {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    version: '1.2' as const,
    logLevel: 'silent' as const,
  }
  const [first, second] = new Composer(options).compose(tokens(text, file, lines), true, text.length)
  if (!first) refuse(file, 'it is empty', { line: 1, column: 1 })
  if (second) refuse(file, 'a second document: a blueprint is one', placeAt(text, second.range[0]))
  return first
}

/** Refuses what is not worth parsing, at a third of its cost. */
function checkLexemes(text: string, file: string): void {
  let count = 0
  let depth = 0
  let offset = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > maxLexemes)
      refuse(file, 'too much to read: a blueprint has some hundred lines', { line: 1, column: 1 })
    if (lexeme === '[' || lexeme === '{') depth++
    else if (lexeme === ']' || lexeme === '}') depth--
    if (depth > maxDepth) refuse(file, tooDeep, placeAt(text, offset))
    // Marks that the lexer puts before scalars, documents and the end are no part of the text.
    if (!isMark(lexeme)) offset += lexeme.length
  }
}

function isMark(lexeme: string): boolean {
  return lexeme === CST.SCALAR || lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END
}

/** The parser's tokens, as long as they do not nest too deep. */
function* tokens(text: string, file: string, lines: LineCounter) {
  checkLexemes(text, file)
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > maxDepth + 2) refuse(file, tooDeep, placeAt(text, parser.offset))
  }
  yield* parser.end()
}

function syntaxError(problems: Problem[]): KitbagError {
  const told = problems
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
    .slice(0, maxSyntaxErrors)
  const [first] = told
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new KitbagError(
    'invalid-blueprint',
    `${first?.file}:${first?.line}:${first?.column}: ${first?.path ? `${first.path}: ` : ''}${first?.message}${more}`,
    {
      problems: told,
    },
  )
}
