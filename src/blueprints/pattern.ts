import { createContext, Script } from 'node:vm'

/** Milliseconds. A pattern may come from anybody, and some take for ever on the right text. */
const patience = 100

const script = new Script('new RegExp(pattern, "u").test(text)')
let context: { pattern: string; text: string } | undefined

/** Whether a text matches a regular expression; undefined when that cannot be said in time. Throws SyntaxError for what is none. */
export function matches(pattern: string, text: string): boolean | undefined {
  context ??= createContext({ pattern: '', text: '' }) as { pattern: string; text: string }
  context.pattern = pattern
  context.text = text
  try {
    return script.runInContext(context, { timeout: patience }) as boolean
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw new SyntaxError((error as Error).message)
  }
}

export function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}
