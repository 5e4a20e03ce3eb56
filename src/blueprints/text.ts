import { KitbagError, type Problem } from '../model/errors.ts'

/** Bytes of UTF-8. */
export const maxBlueprintSize = 1 << 20

/** What no YAML text may hold: NUL, half a surrogate pair, and the mark that decoders put in place of bytes that are no UTF-8. */
const unfit = /[\0\uFFFD]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

export function isFitText(text: string): boolean {
  return !unfit.test(text)
}

/** The text of a blueprint's bytes. Throws `invalid-blueprint` with the place of the first byte that is no UTF-8. */
export function decodeBlueprint(bytes: Uint8Array, file: string): string {
  if (bytes.length > maxBlueprintSize) refuseSize(file)
  const text = new TextDecoder('utf-8').decode(bytes)
  checkText(text, file)
  return text
}

/** Throws `too-large` or `invalid-blueprint` for a text that is not worth parsing. */
export function checkText(text: string, file: string): void {
  if (text.length > maxBlueprintSize || Buffer.byteLength(text) > maxBlueprintSize) refuseSize(file)
  const at = text.search(unfit)
  if (at < 0) return
  const what =
    text[at] === '\0' ? 'a NUL character' : text[at] === '\uFFFD' ? 'bytes that are no UTF-8' : 'half a surrogate pair'
  refuse(file, `${what}, which no text can hold`, placeAt(text, at))
}

function refuseSize(file: string): never {
  const message = `a blueprint has at most ${maxBlueprintSize} bytes`
  throw new KitbagError('too-large', `${file}: ${message}`, {
    problems: [{ path: '', message, file, line: 1, column: 1 }],
    fix: 'Put data into the source folder or into secrets instead.',
  })
}

/** Throws `invalid-blueprint` with one problem. */
export function refuse(file: string, message: string, place: { line: number; column: number }): never {
  const problem: Problem = { path: '', message, file, ...place }
  throw new KitbagError('invalid-blueprint', `${file}:${place.line}:${place.column}: ${message}`, {
    problems: [problem],
  })
}

/** 1-based. */
export function placeAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}
