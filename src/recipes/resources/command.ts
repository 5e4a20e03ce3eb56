import { z } from 'zod'
import { quote, sh } from '../../lib/sh.ts'
import { contentFunction } from './file.ts'
import { accountSchema, commonFields, notifications, pathSchema, resourceType, unitName, unitSchema } from './type.ts'

const variablesSchema = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of an environment variable (letters, digits and _)'),
  z.union([z.string(), z.number(), z.boolean()]),
)

/**
 * A command, for what no other type can say. Its text is shell as it stands: values come in through `environment` and `stdin`, never
 * by text replacement. It has to say when there is nothing to do: `creates`, `unless`, `onlyIf`; or `always: true`.
 */
export const commandResource = resourceType({
  key: 'command',
  phase: 'configure',
  schema: z.strictObject({
    command: z.string().min(1),
    name: z.string().min(1).max(120),
    user: accountSchema.default('root'),
    cwd: pathSchema.or(z.literal('/')).default('/'),
    environment: z.union([variablesSchema, z.array(variablesSchema)]).default({}),
    stdin: z.string().optional(),
    creates: pathSchema.optional(),
    unless: z.string().min(1).optional(),
    onlyIf: z.string().min(1).optional(),
    always: z.boolean().default(false),
    timeout: z.number().min(1).optional(),
    starts: unitSchema.optional(),
    ...commonFields,
  }),
  verbatim: ['command', 'unless', 'onlyIf', 'stdin'],
  check({ creates, unless, onlyIf, always }) {
    const conditions = [creates, unless, onlyIf].filter((condition) => condition !== undefined).length
    if (always === true ? conditions === 0 : conditions > 0) return []
    const message =
      always === true
        ? 'always: true goes with none of creates, unless and onlyIf'
        : 'needs creates, unless or onlyIf (or always: true), so that a second run finds nothing to do'
    return [{ path: ['command'], message }]
  },
  compile({ fields, texts }) {
    const { command, name, user, cwd, creates, unless, onlyIf, timeout, starts } = fields
    const variables = [fields.environment].flat().flatMap((entry) => Object.entries(entry))
    const limit = timeout === undefined ? [] : ['timeout', '-k', '5', String(timeout)]
    const as = user === 'root' ? [] : ['runuser', '-u', user, '--']
    const inShell = (text: string, options: string) => sh`${[...as, ...limit, 'sh', options, text]}`.text
    const script = [
      sh`kb_setting() { cd ${cwd}`.text,
      ...variables.map(([key, value]) => `export ${key}=${quote(String(value)).text}`),
      '}',
      `kb_do() { kb_setting && exec ${inShell(command, '-ec')}; }`,
      ...(texts.stdin ? [contentFunction('kb_stdin', texts.stdin.bytes)] : []),
      ...(unless === undefined ? [] : [`kb_unless() { kb_setting && exec ${inShell(unless, '-c')}; }`]),
      ...(onlyIf === undefined ? [] : [`kb_only_if() { kb_setting && exec ${inShell(onlyIf, '-c')}; }`]),
      sh`kb_command ${creates ?? ''} ${unless === undefined ? 0 : 1} ${onlyIf === undefined ? 0 : 1} ${fields.always ? 1 : 0} ${texts.stdin ? 1 : 0} ${starts ? unitName(starts) : ''}`
        .text,
    ]
    return [
      {
        resource: `command:${name}`,
        script: script.join('\n'),
        runtime: ['command'],
        notify: notifications(fields.notify),
      },
    ]
  },
})
