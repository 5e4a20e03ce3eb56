import type { z } from 'zod'

/** Of a value that fits no alternative: what is wrong with the alternative that it comes nearest to. */
export function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code === 'invalid_key') return { ...issue, message: issue.issues[0]?.message ?? issue.message }
  if (issue.code !== 'invalid_union') return issue
  const nearest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
  if (!nearest || nearest.path.length === 0) return nearest?.code === 'invalid_type' ? issue : (nearest ?? issue)
  return innermost({ ...nearest, path: [...issue.path, ...nearest.path] })
}
