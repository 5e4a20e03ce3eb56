import { KitbagError } from '../model/errors.ts'

/**
 * Text for a POSIX shell whose values are quoted. Only `sh` and `quote` make it; an object rather than a string, so that text of
 * unknown origin can never pass for it.
 */
export class ShellText {
  readonly text: string
  private constructor(text: string) {
    this.text = text
  }

  /** For `sh` and `quote` below. */
  static unchecked(text: string): ShellText {
    return new ShellText(text)
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return this.text
  }
}

export type ShellValue = string | number | ShellText | readonly (string | number | ShellText)[]

/** One word of shell that expands to exactly `value`. Throws `invalid-request` on NUL and on half a surrogate pair. */
export function quote(value: string): ShellText {
  if (value.includes('\0')) throw unfit('a NUL character')
  if (/\p{Surrogate}/u.test(value)) throw unfit('half of a surrogate pair, which UTF-8 has no bytes for')
  return ShellText.unchecked(`'${value.replaceAll("'", "'\\''")}'`)
}

/**
 * Shell text: `` sh`install -d -- ${path}` ``. Every interpolated value becomes one quoted word, an array several; only ShellText goes
 * in as it is. Throws where quotes could not hold: a value inside quotes, a comment, or right after `$` or `\`; backquotes and
 * here-documents altogether.
 */
export function sh(strings: TemplateStringsArray, ...values: ShellValue[]): ShellText {
  if (!checked.has(strings)) {
    checkTemplate(strings)
    checked.add(strings)
  }
  return ShellText.unchecked(strings.reduce((text, part, i) => `${text}${word(values[i - 1])}${part}`))
}

const checked = new WeakSet<TemplateStringsArray>()

function word(value: ShellValue | undefined): string {
  if (value instanceof ShellText) return value.text
  if (typeof value === 'string') return quote(value).text
  if (typeof value === 'number' && Number.isFinite(value)) return quote(String(value)).text
  if (Array.isArray(value)) return value.map(word).join(' ')
  throw new TypeError(
    `sh: a value is ${String(value)}; strings, finite numbers, ShellText and arrays of them are allowed`,
  )
}

type Place = 'nothing' | 'single quotes' | 'double quotes' | 'a comment'

/** Walks the constant parts as a shell's lexer would, and throws where an interpolated value would not stand as words of its own. */
function checkTemplate(strings: TemplateStringsArray): void {
  let place: Place = 'nothing'
  let wordStart = true
  for (const [index, part] of strings.entries()) {
    let last = ''
    for (let i = 0; i < part.length; i++) {
      const escaped = part[i] === '\\' && (place === 'nothing' || place === 'double quotes')
      last = part[i] ?? ''
      if (escaped) {
        if (i + 1 < part.length) last = ''
        i++
      } else {
        const problem = place === 'nothing' || place === 'double quotes' ? forbidden(part, i) : undefined
        if (problem) throw misuse(strings, problem)
        place = after(place, last, wordStart)
      }
      wordStart = !escaped && /[\s;&|()]/.test(last)
    }
    if (index === strings.length - 1) break
    if (place !== 'nothing') throw misuse(strings, `value ${index + 1} stands inside ${place}`)
    if (last === '$' || last === '\\') throw misuse(strings, `value ${index + 1} stands right after ${last}`)
    wordStart = false
  }
  if (place === 'single quotes' || place === 'double quotes') throw misuse(strings, `${place} are not closed`)
}

function after(place: Place, char: string, wordStart: boolean): Place {
  if (place === 'single quotes') return char === "'" ? 'nothing' : place
  if (place === 'double quotes') return char === '"' ? 'nothing' : place
  if (place === 'a comment') return char === '\n' ? 'nothing' : place
  if (char === "'") return 'single quotes'
  if (char === '"') return 'double quotes'
  return char === '#' && wordStart ? 'a comment' : place
}

function forbidden(part: string, at: number): string | undefined {
  if (part[at] === '`') return 'backquotes change what quotes mean; write $(...)'
  if (part.startsWith('<<', at)) return 'a here-document takes quotes literally; use printf'
  return undefined
}

function unfit(what: string): KitbagError {
  return new KitbagError('invalid-request', `a shell argument cannot hold ${what}`)
}

function misuse(strings: TemplateStringsArray, problem: string): TypeError {
  return new TypeError(`sh\`${strings.join('${...}')}\`: ${problem}`)
}
