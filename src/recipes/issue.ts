import type { z } from 'zod'
import { nearest } from '../lib/nearest.ts'
import type { Problem } from '../model/errors.ts'

/** Collects what is wrong, each with its place. */
export type Report = (path: PropertyKey[], message: string, more?: Partial<Problem> & { key?: boolean }) => void

/** Of a value that fits no alternative: what is wrong with the alternative that it comes nearest to. */
export function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code === 'invalid_key') return { ...issue, message: issue.issues[0]?.message ?? issue.message }
  if (issue.code !== 'invalid_union') return issue
  const nearest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
  if (!nearest || nearest.path.length === 0) return nearest?.code === 'invalid_type' ? issue : (nearest ?? issue)
  return innermost({ ...nearest, path: [...issue.path, ...nearest.path] })
}

/** One issue of zod as one problem per name. */
export function reportIssue(given: z.core.$ZodIssue, prefix: PropertyKey[], known: string[], report: Report): void {
  const issue = innermost(given)
  const path = [...prefix, ...issue.path]
  if (issue.code !== 'unrecognized_keys') {
    report(path, lowerFirst(issue.message))
    return
  }
  for (const key of issue.keys) {
    const near = nearest(key, known)
    const hint = near ? `; did you mean "${near}"?` : ''
    const names = issue.path.length === 0 ? { allowed: known } : {}
    report([...path, key], `"${key}" is not known here${hint}`, {
      key: true,
      found: key,
      ...names,
      ...(near && { nearest: near }),
    })
  }
}

function lowerFirst(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())
}
