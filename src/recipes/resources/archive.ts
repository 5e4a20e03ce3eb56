import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import { digestSchema } from '../../model/ids.ts'
import { accountSchema, commonFields, notifications, pathSchema, resourceType } from './type.ts'

/** An uploaded archive, unpacked beside its place and then renamed, so that the folder is whole or not there. */
export const archiveResource = resourceType({
  key: 'archive',
  phase: 'install',
  schema: z.strictObject({
    archive: pathSchema,
    artifact: digestSchema,
    owner: accountSchema.default('root'),
    group: accountSchema.default('root'),
    keep: z.int().min(1).max(1000).optional(),
    ...commonFields,
  }),
  verbatim: [],
  compile({ fields }) {
    const { archive, artifact, owner, group, keep } = fields
    return [
      {
        resource: `archive:${archive}`,
        script: sh`P=${archive}
kb_archive ${artifact} ${`${owner}:${group}`} ${keep ?? 0}`.text,
        facts: { makes: [archive] },
        runtime: ['archive'],
        artifact,
        notify: notifications(fields.notify),
      },
    ]
  },
})
