/** One field of a record's text. Bytes as latin1 characters, so that \DDD can say any byte. */
export interface Field {
  text: string
  /** A `\` stood in it: a dot may then be one inside of a label, say. */
  escaped: boolean
}

/**
 * Splits a record's content as zone files write it (RFC 1035, 5.1): blanks separate, `"..."` keeps them, `\X` and `\DDD` stand for a
 * character. Text is taken as UTF-8. Throws RangeError for an open quote or a bad escape.
 */
export function readFields(content: string): Field[] {
  const bytes = Buffer.from(content, 'utf8').toString('latin1')
  const fields: Field[] = []
  let i = 0
  while (i < bytes.length) {
    if (/\s/.test(bytes[i] ?? '')) {
      i++
      continue
    }
    const quoted = bytes[i] === '"'
    if (quoted) i++
    let text = ''
    let hasEscape = false
    for (;;) {
      const next = bytes[i]
      if (next === undefined) {
        if (quoted) throw new RangeError('a " is not closed')
        break
      }
      if (quoted ? next === '"' : /\s/.test(next)) break
      if (next === '\\') {
        const [value, length] = escaped(bytes, i)
        text += value
        i += length
        hasEscape = true
      } else {
        text += next
        i++
      }
    }
    if (quoted) i++
    fields.push({ text, escaped: hasEscape })
  }
  return fields
}

function escaped(bytes: string, at: number): [string, number] {
  const digits = /^\d{3}/.exec(bytes.slice(at + 1, at + 4))?.[0]
  if (digits !== undefined) {
    const code = Number(digits)
    if (code > 255) throw new RangeError(`\\${digits} is no byte`)
    return [String.fromCharCode(code), 4]
  }
  const next = bytes[at + 1]
  if (next === undefined || /\d/.test(next)) throw new RangeError('a \\ stands before nothing that it could escape')
  return [next, 2]
}

/** A character string of at most 255 bytes, in quotes; everything but plain ASCII as \DDD. */
export function quoteString(bytes: string): string {
  const body = bytes.replace(/[^ -~]|["\\]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  )
  return `"${body}"`
}

/** Character strings of 255 bytes each, as TXT wants them. */
export function chunks(bytes: string): string[] {
  return bytes === '' ? [''] : (bytes.match(/[\s\S]{1,255}/g) ?? [])
}
