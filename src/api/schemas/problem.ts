import { z } from '@hono/zod-openapi'
import { type ErrorCode, errorCodes } from '../../model/errors.ts'

const errorCodeSchema = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]).openapi('ErrorCode')

const placeSchema = z
  .object({
    path: z.string().openapi({ description: 'Path in the document as it was sent, e.g. `components.web.replicas`' }),
    message: z.string(),
    file: z.string().optional(),
    line: z.int().optional(),
    column: z.int().optional(),
    found: z.string().optional(),
    allowed: z.array(z.string()).optional(),
    nearest: z.string().optional().openapi({ description: 'The known name nearest to an unknown one' }),
  })
  .openapi('Place')

const errorMembers = {
  code: errorCodeSchema,
  fix: z.string().optional().openapi({ description: 'What can be done about it' }),
  problems: z
    .array(placeSchema)
    .optional()
    .openapi({ description: 'Every single thing that is wrong, with its place' }),
  machine: z.string().optional(),
  resource: z.string().optional(),
  output: z.string().optional().openapi({ description: "Last lines of a failed command's output" }),
}

/** An operation's stored error. */
export const errorRecordSchema = z.object({ ...errorMembers, message: z.string() }).openapi('Error')

/** RFC 9457, with a stable `code`: ProblemDetails of the model. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:kitbag:problem:not-found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    ...errorMembers,
  })
  .openapi('Problem')
