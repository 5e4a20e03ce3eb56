/** One entry of a zone file. */
export interface ZoneLine {
  /** Where it begins, from 1. */
  number: number
  /** It begins with a blank: it is for the name of the entry before. */
  indented: boolean
  /** As they stand, quotes and escapes kept. */
  words: string[]
}

/**
 * Entries of a zone file (RFC 1035, 5.1): comments and empty lines left out; what stands in brackets is one entry. Throws RangeError when a
 * bracket is not closed.
 */
export function* zoneLines(text: string): Generator<ZoneLine> {
  let depth = 0
  let content = ''
  let number = 1
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (depth === 0) {
      content = ''
      number = i + 1
    }
    const [read, change] = withoutMarks(line, depth)
    content += read
    depth += change
    if (depth > 0) content += ' '
    else if (content.trim() !== '') yield { number, indented: /^\s/.test(content), words: wordsOf(content) }
  }
  if (depth > 0) throw new RangeError(`line ${number}: a ( is not closed`)
}

/** A line without comment and brackets, and by how much it changes the depth of brackets. */
function withoutMarks(line: string, depth: number): [string, number] {
  let content = ''
  let change = 0
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ''
    if (character === '\\') content += character + (line[++at] ?? '')
    else if (character === '"' || quoted) {
      if (character === '"') quoted = !quoted
      content += character
    } else if (character === ';') break
    else if (character === '(') {
      change++
      content += ' '
    } else if (character === ')') {
      if (depth + change > 0) change--
      content += ' '
    } else content += character
  }
  return [content, change]
}

function wordsOf(line: string): string[] {
  return line.match(/(?:"(?:\\.|[^"\\])*"|\\.|[^\s"]|")+/g) ?? []
}
