import type { z } from 'zod'
import { isConcat, isReference } from '../model/value.ts'
import type { Path } from './path.ts'
import { type ProblemDetails, type Problems, show } from './problems.ts'

/** What zod calls a type, for people. */
const types: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

export const lateHere = 'what is known only after the deployment cannot stand here; only ${parameters.NAME} can'

/** Adds the issues of a zod schema as problems. The value that they are about stands at `base`. */
export function addIssues(problems: Problems, base: Path, issues: z.core.$ZodIssue[], value: unknown): void {
  for (const issue of issues) addIssue(problems, base, issue, value)
}

function addIssue(problems: Problems, base: Path, issue: z.core.$ZodIssue, value: unknown): void {
  const inner = issue.path as Path
  const path = [...base, ...inner]
  const found = at(value, inner)
  if (isReference(found) || isConcat(found)) problems.add(path, lateHere)
  else if (issue.code === 'invalid_union') addUnion(problems, path, issue, found)
  else if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      problems.add([...path, key], `unknown field ${key}`, { unknown: key, at: 'key', allowed: fieldsOf(issue) })
  } else {
    const { message, ...details } = described(issue, found, String(inner.at(-1) ?? 'it'))
    problems.add(path, message, details)
  }
}

function described(issue: z.core.$ZodIssue, found: unknown, name: string): { message: string } & ProblemDetails {
  const shown = { found: show(found) }
  switch (issue.code) {
    case 'invalid_key':
      return { message: `the name ${name} is not allowed: ${issue.issues[0]?.message}`, at: 'key' }
    case 'invalid_type':
      if (found === undefined) return { message: `${name} is required`, at: 'key' }
      if (isOwn(issue.message)) return { message: issue.message, ...shown }
      return { message: `must be ${types[issue.expected] ?? issue.expected}`, ...shown }
    case 'invalid_value':
      if (found === undefined) return { message: `${name} is required`, at: 'key' }
      if (isOwn(issue.message)) return { message: issue.message, ...shown }
      return { message: `${show(found)} is not allowed`, unknown: String(found), allowed: issue.values.map(String) }
    case 'too_small':
    case 'too_big':
      return { message: isOwn(issue.message) ? issue.message : bound(issue), ...shown }
    default:
      return { message: issue.message, ...shown }
  }
}

/** zod's own texts begin so. */
function isOwn(message: string): boolean {
  return !/^(Too (small|big)|Invalid)/.test(message)
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const unit = { string: ' characters', array: ' entries' }[issue.origin as string] ?? ''
  const most = issue.code === 'too_big'
  const limit = most ? issue.maximum : issue.minimum
  if (issue.inclusive === false) return `must be ${most ? 'less' : 'more'} than ${limit}${unit}`
  return `must be at ${most ? 'most' : 'least'} ${limit}${unit}`
}

/** Of several allowed forms the one is told of that the value comes nearest to. */
function addUnion(problems: Problems, path: Path, issue: z.core.$ZodIssueInvalidUnion, found: unknown): void {
  const nearestForm = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? []
  if (depth(nearestForm) > 0) {
    addIssues(problems, path, nearestForm, found)
    return
  }
  const forms = issue.errors.flatMap(([first]) =>
    first?.code === 'invalid_type' ? [types[first.expected] ?? first.expected] : first ? [first.message] : [],
  )
  const message = isOwn(issue.message) ? issue.message : `must be ${[...new Set(forms)].join(' or ')}`
  problems.add(path, message, { found: show(found) })
}

function depth(issues: z.core.$ZodIssue[]): number {
  const own = (issue: z.core.$ZodIssue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)
  return Math.max(0, ...issues.map(own))
}

/** Known fields travel in the issue's message (see `strict` in schema.ts). */
function fieldsOf(issue: z.core.$ZodIssue): string[] {
  const known = /known: (.*)$/.exec(issue.message)?.[1]
  return known ? known.split(', ') : []
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value)
}
