import { z } from '@hono/zod-openapi'
import { problemSchema } from '../schemas/problem.ts'

/** A 200 (or other) answer of JSON, for a route's `responses`. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** A required JSON body, for a route's `request`. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } }
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})

/** What every route may answer beside success. Handlers throw these as KitbagErrors. */
export const problems = {
  '4XX': problem('The request was refused: `code` says why, `problems` where, `fix` what to do'),
  '5XX': problem('The control plane, a cloud or a machine failed'),
}

export const accepted = {
  description: 'An operation was submitted, or the open one that it repeats is given back',
  headers: z.object({ Location: z.string().openapi({ description: '`/v1/operations/{id}`' }) }),
}
