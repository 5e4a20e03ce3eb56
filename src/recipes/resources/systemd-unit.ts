import { z } from 'zod'
import { fileScript, sum } from './file.ts'
import { commonFields, modeSchema, notifications, octal, resourceType, textFields } from './type.ts'

const unitFileSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,200}\.(service|socket|timer|target|mount|path|slice)(\.d\/[A-Za-z0-9._-]+\.conf)?$/,
    'must be a unit with its kind, such as web.service, or a drop-in, such as web.service.d/limits.conf',
  )

/** A unit in /etc/systemd/system; systemd reloads its units once, before the next service is looked at and at the end. */
export const systemdUnitResource = resourceType({
  key: 'systemd-unit',
  phase: 'configure',
  schema: z.strictObject({
    'systemd-unit': unitFileSchema,
    ...textFields,
    mode: modeSchema.default('0644'),
    ...commonFields,
  }),
  verbatim: ['content', 'template'],
  check(fields) {
    const given = ['content', 'template'].filter((name) => fields[name] !== undefined)
    if (given.length === 1) return []
    return [
      { path: ['systemd-unit'], message: `needs one of content and template; found ${given.join(' and ') || 'none'}` },
    ]
  },
  compile({ fields, texts }) {
    const path = `/etc/systemd/system/${fields['systemd-unit']}`
    const text = texts.text ?? { bytes: Buffer.alloc(0), sensitive: false }
    const script = fileScript({ path, mode: octal(fields.mode), owner: 'root', group: 'root' }, text)
    return [
      {
        resource: `systemd-unit:${fields['systemd-unit']}`,
        script: `Q="daemon-reload $Q"\n${script}`,
        facts: { paths: [path], sums: { [path]: sum(text.bytes) } },
        runtime: ['path', 'file', 'service'],
        notify: notifications(fields.notify),
      },
    ]
  },
})
