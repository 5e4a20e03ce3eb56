import { DrizzleQueryError } from 'drizzle-orm'
import { backoff, retry } from '../lib/retry.ts'
import { KitbagError } from '../model/errors.ts'

/** The statement was not carried out, so doing it again is safe: no connection yet, server starting or ending, deadlock. */
const notDone = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  '57P01',
  '57P03',
  '53300',
  '40001',
  '40P01',
])
/** The connection broke while the answer was awaited: it may have been carried out. */
const lost = /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|ECONNRESET/i
/** Methods that must not be carried out twice; the others do no harm when they are. */
const notTwice = new Set(['create', 'submit', 'appendEvents'])
/** Methods that use up what they are given, so that they cannot be called again. */
const never = new Set(['put'])
/** Text that PostgreSQL cannot hold: NUL, half of a surrogate pair. */
const unstorable = new Set(['22021', '22P05', '22P02'])

/**
 * The same aggregate with every method's database errors turned into KitbagErrors. What drizzle says of a failed query holds its
 * parameters, so that never gets out. A method that lost its connection is called again for some seconds, where that is safe (every
 * method is one transaction): so a restart of the server goes unnoticed.
 */
export function guarded<T extends object>(aggregate: T): T {
  const entries = Object.entries(aggregate).map(([name, member]) => [
    name,
    isAsync(member) ? guardedCall(name, member) : member,
  ])
  return Object.fromEntries(entries)
}

type AsyncFunction = (...args: unknown[]) => Promise<unknown>

function isAsync(member: unknown): member is AsyncFunction {
  return typeof member === 'function' && member.constructor.name === 'AsyncFunction'
}

function guardedCall(name: string, member: AsyncFunction): AsyncFunction {
  return async (...args) => {
    try {
      return await retry(() => member(...args), {
        attempts: 8,
        delay: backoff(100, 2_000),
        retryable: (error) => mayRepeat(name, error),
      })
    } catch (error) {
      throw translated(error)
    }
  }
}

function mayRepeat(name: string, error: unknown): boolean {
  if (never.has(name) || error instanceof KitbagError) return false
  return notDone.has(codeOf(error)) || (isLost(error) && !notTwice.has(name))
}

function isLost(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : error
  return cause instanceof Error && lost.test(`${codeOf(cause)} ${cause.message}`)
}

/** A thrown value as a KitbagError, without any parameter of the query in its text. */
export function translated(error: unknown): unknown {
  if (error instanceof KitbagError) return error
  const cause = error instanceof DrizzleQueryError ? error.cause : error
  if (!(cause instanceof Error)) return error
  const code = codeOf(cause)
  if (unstorable.has(code)) {
    return new KitbagError(
      'invalid-request',
      'a text holds a character that cannot be stored (NUL, or half of a surrogate pair)',
      {
        cause,
        fix: 'Leave it out.',
      },
    )
  }
  if (notDone.has(code) || isLost(cause)) {
    return new KitbagError('internal', `the database cannot be reached: ${cause.message}`, { cause, retryable: true })
  }
  if (error instanceof DrizzleQueryError) {
    return new KitbagError('internal', `the database refused a statement: ${cause.message}`, { cause })
  }
  return error
}

/** SQLSTATE or system error code; empty for others. */
export function codeOf(error: unknown): string {
  const cause = error instanceof DrizzleQueryError ? error.cause : error
  return String((cause as { code?: unknown } | undefined)?.code ?? '')
}

/**
 * A value from machines or programs (log lines, output, diffs) in a form that PostgreSQL can hold: NUL becomes its picture, a lone
 * surrogate the replacement character.
 */
export function storable<T>(value: T): T {
  const text = JSON.stringify(value)
  if (text === undefined || !/\\u0000|\\ud[89a-f]/i.test(text)) return value
  return withStorableTexts(JSON.parse(text)) as T
}

function withStorableTexts(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(withStorableTexts)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [storableText(key), withStorableTexts(member)])
  return Object.fromEntries(entries)
}

function storableText(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\u2400')).toString()
}
