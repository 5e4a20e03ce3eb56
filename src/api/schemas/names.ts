import { z } from '@hono/zod-openapi'
import { componentNameSchema, digestSchema, nameSchema } from '../../model/ids.ts'

/** A schema of the model made anew: `openapi` is there only on those that are made after the library that adds it was loaded. */
const anew = <T extends z.ZodType>(schema: T): T => schema.clone() as T

/** Names and ids as path parameters and in bodies. */
export const deploymentName = anew(nameSchema).openapi({ example: 'guestbook' })
export const cloudName = anew(nameSchema).openapi({ example: 'home' })
export const componentName = anew(componentNameSchema).openapi({ example: 'web' })
export const digest = anew(digestSchema).openapi({ description: 'sha256, 64 lower-case hex digits' })

export const secretName = z
  .string()
  .max(100, 'at most 100 characters')
  .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'letters, digits, `_`, `.` and `-`, beginning with a letter')
  .openapi({ example: 'MAIL_KEY' })

/** `op_...`, `tok_...` */
export function opaqueId(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}_[a-z0-9]{20}$`), `an id that begins with ${prefix}_`)
}

/** A folder as a blueprint names it: `./app`. */
export const folderName = z
  .string()
  .max(400, 'at most 400 characters')
  .refine(
    (folder) => !folder.startsWith('/') && !folder.split('/').includes('..'),
    'a folder beside or below the blueprint',
  )

export const inDeployment = z.object({ deployment: deploymentName })
