import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import {
  accountSchema,
  commonFields,
  modeSchema,
  notifications,
  octal,
  pathSchema,
  rawMode,
  resourceType,
} from './type.ts'

/** Directories, each with its mode and owner. Parents are not made by the way: they are entries of their own. */
export const directoryResource = resourceType({
  key: 'directory',
  phase: 'configure',
  schema: z.strictObject({
    directory: z.union([pathSchema, z.array(pathSchema)]),
    mode: modeSchema.default('0755'),
    owner: accountSchema.default('root'),
    group: accountSchema.default('root'),
    ...commonFields,
  }),
  verbatim: [],
  compile: ({ fields }) =>
    [fields.directory].flat().map((path) => {
      const mode = octal(fields.mode)
      const { owner, group } = fields
      return {
        resource: `directory:${path}`,
        script: sh`P=${path}
kb_directory ${rawMode(mode, 'directory')} ${mode} ${owner} ${group}`.text,
        facts: { paths: [path] },
        runtime: ['path', 'directory'],
        notify: notifications(fields.notify),
      }
    }),
})
