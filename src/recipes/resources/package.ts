import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import { commonFields, notifications, resourceType } from './type.ts'

const packageSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$/,
    'must be a package name, or name=version (lower-case letters, digits, + - .)',
  )

/** Debian packages, all missing ones of neighbouring entries by one `apt-get install`. */
export const packageResource = resourceType({
  key: 'package',
  phase: 'install',
  schema: z.strictObject({ package: z.union([packageSchema, z.array(packageSchema)]), ...commonFields }),
  verbatim: [],
  compile: ({ fields }) =>
    [fields.package].flat().map((entry) => {
      const [name = entry, version = ''] = entry.split('=')
      return {
        resource: `package:${name}`,
        script: sh`kb_package ${name} ${version}`.text,
        facts: { packages: [name] },
        runtime: ['package'],
        notify: notifications(fields.notify),
        batch: 'kb_install',
      }
    }),
})
