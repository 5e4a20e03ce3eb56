import { z } from 'zod'
import type { CompileOptions } from '../../model/program.ts'
import type { Phase } from '../../model/recipe.ts'

/** What a resource type adds to a program: facts to gather in bulk, and shell text that acts on the differences. */
export interface Step {
  /** `file:/etc/x`: the resource's name in events and errors. */
  resource: string
  /** Shell run at the resource's turn, after its name is set. */
  script: string
  facts?: Facts
  /** Parts of the runtime that the script calls. */
  runtime: RuntimePart[]
  /** Blob that must lie on the machine. */
  artifact?: string
  /** A text that is too large for the program; it is brought along under its sha256, unless `path` holds it already. */
  large?: { digest: string; bytes: Buffer; path: string }
  /** A file that holds certificates, and a digest of these alone. */
  certificates?: { path: string; digest: string }
  notify?: Notification[]
  /** A step that must come right after the last of several with the same value (packages are installed together). */
  batch?: string
}

export type RuntimePart =
  | 'package'
  | 'path'
  | 'file'
  | 'directory'
  | 'link'
  | 'account'
  | 'service'
  | 'archive'
  | 'command'
  | 'extras'
  | 'manifest'

export interface Facts {
  packages?: string[]
  paths?: string[]
  /** Paths that nobody needs to look at, and that the resource makes all the same. */
  makes?: string[]
  /** Path -> sha256 that its content shall have. */
  sums?: Record<string, string>
  users?: string[]
  groups?: string[]
  units?: string[]
}

export interface Notification {
  verb: 'reload' | 'restart'
  /** Full unit name. */
  unit: string
}

/** A rendered text of a resource. */
export interface RenderedText {
  bytes: Buffer
  /** Must not be shown: holds a secret, or may. */
  sensitive: boolean
}

/** What a resource type's compiler may use. `fields` have been evaluated and checked by the type's schema. */
export interface CompileInput<Fields> {
  fields: Fields
  /** Rendered `content`, `stdin` or `template`. */
  texts: Record<string, RenderedText>
  phase: Phase
  mode: CompileOptions['mode']
}

/** One type of resource; its schema describes the fields once expressions in them are evaluated. */
export interface ResourceType<Schema extends z.ZodObject = z.ZodObject> {
  /** The key that makes an entry of this type; the first field of the schema. */
  key: string
  phase: Phase
  schema: Schema
  /** Fields whose text is taken as it is: shell, or Handlebars. */
  verbatim: string[]
  /** Says what is wrong beyond the schema. */
  check?(fields: Record<string, unknown>): { path: PropertyKey[]; message: string }[]
  compile(input: CompileInput<z.infer<Schema>>): Step[]
}

/** Keeps the schema's type while the registry holds all types alike. */
export function resourceType<Schema extends z.ZodObject>(type: ResourceType<Schema>): ResourceType {
  return type as unknown as ResourceType
}

export const pathSchema = z
  .string()
  .max(4096)
  .refine((path) => /^(\/[^/]+)+$/.test(path), 'must be an absolute path without a "/" at its end')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .refine((path) => !/[\u0000-\u001f\u007f\\]/.test(path), 'must not hold control characters or backslashes')
  .refine(
    (path) => !path.split('/').some((part) => part === '.' || part === '..'),
    'must not hold "." or ".." as a part',
  )

export const accountSchema = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'lower-case letters, digits, _ and -, 32 characters at most')

export const modeSchema = z.string().regex(/^0?[0-7]{3,4}$/, 'must be an octal mode in quotes, such as "0640"')

export const unitSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,200}$/, 'must be the name of a systemd unit, such as haproxy or web.service')

const notificationSchema = z.union([z.strictObject({ reload: unitSchema }), z.strictObject({ restart: unitSchema })])

/** `notify: { reload: haproxy }`, or a list of such. */
const notifySchema = z.union([notificationSchema, z.array(notificationSchema).max(20)]).optional()

export const textFields = {
  content: z.string().optional(),
  template: z.string().optional(),
}

/** Fields that every resource has. `phase` and `when` are taken off before a type sees an entry. */
export const commonFields = { notify: notifySchema }

/** `haproxy` -> `haproxy.service`; names that say their kind stay. */
export function unitName(name: string): string {
  return /\.(service|socket|timer|target|mount|automount|path|slice|scope|swap|device)$/.test(name)
    ? name
    : `${name}.service`
}

/** The notifications of an entry. */
export function notifications(notify: z.infer<typeof notifySchema>): Notification[] {
  const list = notify === undefined ? [] : Array.isArray(notify) ? notify : [notify]
  return list.map((entry) =>
    'reload' in entry
      ? { verb: 'reload', unit: unitName(entry.reload) }
      : { verb: 'restart', unit: unitName(entry.restart) },
  )
}

/** `0640` -> the four digits, always. */
export function octal(mode: string): string {
  return mode.padStart(4, '0').slice(-4)
}

/** Mode and type as `stat -c %f` writes them. */
export function rawMode(mode: string, type: 'file' | 'directory'): string {
  return ((type === 'file' ? 0o100000 : 0o040000) | Number.parseInt(mode, 8)).toString(16)
}
