import { RE2JS } from 're2js'

/** Compiling costs more than matching, and one pattern is compared with many texts. */
const kept = 100
const compiled = new Map<string, RE2JS>()

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known) return known
  const made = RE2JS.compile(pattern)
  const oldest = compiled.keys().next().value
  if (compiled.size >= kept && oldest !== undefined) compiled.delete(oldest)
  compiled.set(pattern, made)
  return made
}

/**
 * Whether a regular expression that somebody else wrote is found in a text. By RE2, whose time grows with the text and never explodes;
 * so there is no look-around and no back-reference. Throws for what is no pattern.
 */
export function matches(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find()
}

/** Whether it is a regular expression as RE2 knows them. */
export function isPattern(pattern: string): boolean {
  try {
    compile(pattern)
    return true
  } catch {
    return false
  }
}
