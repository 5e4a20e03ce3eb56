import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import { commonFields, notifications, pathSchema, resourceType } from './type.ts'

const targetSchema = z
  .string()
  .min(1)
  .max(4096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .refine((path) => !/[\u0000-\u001f\u007f\\]/.test(path), 'must not hold control characters or backslashes')

const patternSchema = z
  .string()
  .regex(/^\/[A-Za-z0-9_./*?@:+-]*[*?][A-Za-z0-9_./*?@:+-]*$/, 'must be an absolute path with * or ? in it')

/** A symbolic link, replaced atomically. `targetPattern` is looked up on the machine: its last match in alphabetical order. */
export const linkResource = resourceType({
  key: 'link',
  phase: 'configure',
  schema: z.strictObject({
    link: pathSchema,
    target: targetSchema.optional(),
    targetPattern: patternSchema.optional(),
    replace: z.boolean().default(false),
    state: z.enum(['present', 'absent']).default('present'),
    ...commonFields,
  }),
  verbatim: [],
  check(fields) {
    const given = ['target', 'targetPattern'].filter((name) => fields[name] !== undefined)
    if (given.length === (fields.state === 'absent' ? 0 : 1)) return []
    return [{ path: ['link'], message: 'needs one of target and targetPattern, and none with state: absent' }]
  },
  compile({ fields }) {
    const { link, target = '', targetPattern } = fields
    const place = sh`P=${link}`.text
    const find = targetPattern === undefined ? sh`G=${target}`.text : `set +f\nkb_last_match ${targetPattern}\nset -f`
    const act = fields.state === 'absent' ? 'kb_absent' : `${find}\nkb_link ${fields.replace ? 1 : 0}`
    return [
      {
        resource: `link:${link}`,
        script: `${place}\n${act}`,
        facts: { paths: [link] },
        runtime: ['path', 'link'],
        notify: notifications(fields.notify),
      },
    ]
  },
})
