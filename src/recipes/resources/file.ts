import { createHash } from 'node:crypto'
import { z } from 'zod'
import { quote, sh } from '../../lib/sh.ts'
import { largeTextPath } from '../places.ts'
import {
  accountSchema,
  commonFields,
  modeSchema,
  notifications,
  octal,
  pathSchema,
  type RenderedText,
  rawMode,
  resourceType,
  type Step,
  textFields,
} from './type.ts'

/** `%s` in a check: the new file. Never inside quotes, because it is replaced by a quoted word. */
const newFile = /(^|[\s=(])%s(?=[\s;)|&]|$)/

const validateSchema = z
  .string()
  .refine((text) => newFile.test(text), 'must hold %s, the new file, as a word of its own')

/** Bytes from which on a text is sent apart, compressed, and only where it is not what the machine has: one round trip more. */
const largeText = 128 * 1024

export interface FileOptions {
  path: string
  mode: string
  owner: string
  group: string
  validate?: string
}

/**
 * Shell that makes a file. New ones of root's get their mode by the umask they are made with, which spares a chmod; all others are
 * made 0600 and opened up when they have their owner. `large`: the file on the machine that holds the text, where the program does not.
 */
export function fileScript(
  { path, mode, owner, group, validate }: FileOptions,
  text: RenderedText,
  large?: string,
): string {
  const direct = owner === 'root' && group === 'root' && (Number.parseInt(mode, 8) & 0o7111) === 0
  const umask = direct ? (0o777 & ~Number.parseInt(mode, 8)).toString(8).padStart(3, '0') : '077'
  const check = validate?.replace(new RegExp(newFile, 'g'), '$1"$$1"') ?? ''
  const sensitive = text.sensitive ? 1 : 0
  return [
    sh`P=${path}`.text,
    sh`kb_file ${rawMode(mode, 'file')} ${`${owner}:${group}`} || {`.text,
    large === undefined ? contentFunction('kb_content', text.bytes) : sh`kb_content() { cat ${large}; }`.text,
    sh`kb_put ${mode} ${owner} ${group} ${umask} ${sensitive} ${check}`.text,
    '}',
    ...(large === undefined ? [] : [sh`[ ! -e ${large} ] || rm -f ${large}`.text]),
  ].join('\n')
}

/** A function that prints some bytes, by a builtin where they are text. */
export function contentFunction(name: string, bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\0') && Buffer.from(text).equals(bytes)) return `${name}() { printf %s ${quote(text).text}; }`
  const lines = bytes.toString('base64').replace(/.{76}/g, '$&\n')
  return `${name}() { base64 -d <<'KITBAG_BASE64'\n${lines}\nKITBAG_BASE64\n}`
}

export function sum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** sha256 of the certificates (PEM) in a text, which are nobody's secret; undefined: there are none. */
function certificatesDigest(bytes: Buffer): string | undefined {
  const found = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
  return found ? sum(Buffer.from(found.join('\n'))) : undefined
}

const absentScript = (path: string): string => [sh`P=${path}`.text, 'kb_absent'].join('\n')

/** A regular file: written beside its place, checked, then renamed over it. */
export const fileResource = resourceType({
  key: 'file',
  phase: 'configure',
  schema: z.strictObject({
    file: pathSchema,
    ...textFields,
    source: z.string().optional(),
    mode: modeSchema.default('0644'),
    owner: accountSchema.default('root'),
    group: accountSchema.default('root'),
    validate: validateSchema.optional(),
    sensitive: z.boolean().default(false),
    state: z.enum(['present', 'absent']).default('present'),
    ...commonFields,
  }),
  verbatim: ['content', 'template', 'source', 'validate'],
  check(fields) {
    const given = ['content', 'template', 'source'].filter((name) => fields[name] !== undefined)
    if (fields.state === 'absent') {
      return given.map((name) => ({ path: [name], message: 'means nothing beside state: absent' }))
    }
    if (given.length === 1) return []
    const found = given.length === 0 ? 'none' : given.join(' and ')
    return [{ path: ['file'], message: `needs one of content, template and source; found ${found}` }]
  },
  compile({ fields, texts, mode }) {
    const step: Pick<Step, 'resource' | 'notify'> = {
      resource: `file:${fields.file}`,
      notify: notifications(fields.notify),
    }
    if (fields.state === 'absent') {
      return [{ ...step, script: absentScript(fields.file), facts: { paths: [fields.file] }, runtime: ['path'] }]
    }
    const { bytes = Buffer.alloc(0), sensitive = false } = texts.text ?? {}
    const { file: path, owner, group, validate } = fields
    const options = { path, mode: octal(fields.mode), owner, group, ...(validate !== undefined && { validate }) }
    const digest = sum(bytes)
    const certificates = certificatesDigest(bytes)
    // A check shows the difference, so it needs the text.
    const isLarge = bytes.length >= largeText && mode === 'apply'
    const text = { bytes, sensitive: sensitive || fields.sensitive }
    return [
      {
        ...step,
        script: fileScript(options, text, isLarge ? largeTextPath(digest) : undefined),
        facts: { paths: [path], sums: { [path]: digest } },
        runtime: ['path', 'file'],
        ...(certificates !== undefined && { certificates: { path, digest: certificates } }),
        ...(isLarge && { large: { digest, bytes, path } }),
      },
    ]
  },
})
