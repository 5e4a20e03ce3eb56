import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import { accountSchema, commonFields, notifications, pathSchema, resourceType } from './type.ts'

/** A user of the machine, with a group of its own name unless `group` says another. Only what is said is kept so. */
export const userResource = resourceType({
  key: 'user',
  phase: 'install',
  schema: z.strictObject({
    user: accountSchema,
    system: z.boolean().default(true),
    home: pathSchema.optional(),
    shell: pathSchema.optional(),
    group: accountSchema.optional(),
    groups: z.array(accountSchema).default([]),
    ...commonFields,
  }),
  verbatim: [],
  compile({ fields }) {
    const { user, system, home = '', shell = '', group = '', groups } = fields
    return [
      {
        resource: `user:${user}`,
        script: sh`kb_user ${user} ${system ? 1 : 0} ${home} ${shell} ${group} ${groups}`.text,
        facts: { users: [user], groups: [user, ...groups, ...(group ? [group] : [])] },
        runtime: ['account'],
        notify: notifications(fields.notify),
      },
    ]
  },
})

/** A group of the machine. */
export const groupResource = resourceType({
  key: 'group',
  phase: 'install',
  schema: z.strictObject({ group: accountSchema, system: z.boolean().default(true), ...commonFields }),
  verbatim: [],
  compile: ({ fields }) => [
    {
      resource: `group:${fields.group}`,
      script: sh`kb_group ${fields.group} ${fields.system ? 1 : 0}`.text,
      facts: { groups: [fields.group] },
      runtime: ['account'],
      notify: notifications(fields.notify),
    },
  ],
})
