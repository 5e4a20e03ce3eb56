import type { core, ZodError } from 'zod'
import { nearest } from '../../lib/nearest.ts'
import { KitbagError, type Problem } from '../../model/errors.ts'

/** A request that its schema refused, as `invalid-request` with every place. `target` is where it was: body, query, param, header. */
export function invalidRequest(target: string, error: ZodError): KitbagError {
  const problems = error.issues.flatMap((issue) => problemsOf(issue))
  const where = target === 'json' ? 'the body' : target === 'param' ? 'the path' : `the ${target}`
  const first = problems[0]
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new KitbagError(
    'invalid-request',
    `${where}: ${first?.path ? `${first.path}: ` : ''}${first?.message}${rest}`,
    { problems },
  )
}

function problemsOf(issue: core.$ZodIssue, prefix: PropertyKey[] = []): Problem[] {
  const path = [...prefix, ...issue.path].map(String).join('.')
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: path ? `${path}.${key}` : key,
        message: `unknown field ${JSON.stringify(key)}`,
      }))
    case 'invalid_value': {
      const allowed = issue.values.map(String)
      const close = typeof issue.input === 'string' ? nearest(issue.input, allowed) : undefined
      return [{ path, message: `must be one of: ${allowed.join(', ')}`, allowed, ...(close && { nearest: close }) }]
    }
    case 'invalid_union': {
      // A union tells most by the branch that came furthest; a discriminated one has no branches when its tag is unknown.
      const branches = issue.errors.map((issues) =>
        issues.flatMap((inner) => problemsOf(inner, [...prefix, ...issue.path])),
      )
      const best = branches.sort((a, b) => a.length - b.length)[0]
      return best ?? [{ path, message: discriminatorMessage(issue) }]
    }
    default:
      return [{ path, message: issue.message }]
  }
}

function discriminatorMessage(issue: core.$ZodIssueInvalidUnion): string {
  const options = (issue as { options?: unknown[] }).options
  return options ? `must be one of: ${options.join(', ')}` : issue.message
}
