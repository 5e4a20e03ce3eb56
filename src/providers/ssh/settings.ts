import { isIP } from 'node:net'
import { z } from 'zod'
import { parseBytes } from '../../lib/bytes.ts'
import { hostKeyField as hostKey, jumpSchema, portField as port, userField as user } from '../../lib/jump.ts'

const word = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be a word of letters, digits, ".", "_" and "-"')
const memory = z.string().refine((text) => parseBytes(text) !== undefined, 'must be an amount such as 2GiB')

const machineSchema = z.strictObject({
  /** What it is called in plans and messages; default: its address. */
  name: word.optional(),
  /** An address that the other machines reach it at, too. */
  address: z.string().refine((text) => isIP(text) !== 0, 'must be an IPv4 or IPv6 address'),
  port: port.default(22),
  user: user.optional(),
  /** `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there prints it. */
  hostKey: hostKey.optional(),
  /** Default: what the machine says. */
  cpu: z.number().positive().optional(),
  memory: memory.optional(),
  region: word.optional(),
  zone: word.optional(),
  /** What `placement.labels` in blueprints choose by. */
  labels: z.record(word, z.string().max(100)).default({}),
  jump: jumpSchema.optional(),
})

const plainSchema = z.strictObject({
  machines: z.array(machineSchema).default([]),
  /** Login of machines and jump hosts that name none. */
  user: user.default('debian'),
  /** Machines without a host key are believed the first time, and pinned then. */
  trustOnFirstUse: z.literal(true).optional(),
  /** Between Kitbag and every machine that names no other. */
  jump: jumpSchema.optional(),
  /** Packages that Kitbag installed are purged when a machine is given back. */
  purge: z.boolean().default(false),
})

export const settingsSchema = plainSchema.superRefine((settings, context) => {
  const seen = new Map<string, number>()
  for (const [i, machine] of settings.machines.entries()) {
    const path = ['machines', i]
    for (const own of new Set([nameOf(machine), `${machine.address} port ${machine.port}`])) {
      const other = seen.get(own)
      if (other === undefined) seen.set(own, i)
      else context.addIssue({ code: 'custom', path, message: `${own} is machines.${other} already` })
    }
    const jump = machine.jump ?? settings.jump
    if (machine.hostKey === undefined) requireKey(context, settings, [...path, 'hostKey'], machine.address)
    if (jump && jump.hostKey === undefined)
      requireKey(context, settings, [...(machine.jump ? path : []), 'jump', 'hostKey'], jump.address)
  }
})

export type SshSettings = z.infer<typeof plainSchema>

export const credentialsSchema = z.strictObject({
  /** Login key for these machines, OpenSSH's format, without a passphrase; default: the installation's own. */
  privateKey: z
    .string()
    .regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----\n/, 'must be a private key as ssh-keygen writes it')
    .refine((text) => !/ENCRYPTED/.test(text), 'must not have a passphrase')
    .optional(),
})

export type SshCredentials = z.infer<typeof credentialsSchema>

export type MachineSettings = SshSettings['machines'][number]

export function nameOf({ name, address }: Pick<MachineSettings, 'name' | 'address'>): string {
  return name ?? address
}

function requireKey(
  context: z.RefinementCtx,
  { trustOnFirstUse }: { trustOnFirstUse?: true | undefined },
  path: (string | number)[],
  address: string,
): void {
  if (trustOnFirstUse) return
  const message = `missing: give the fingerprint that \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` prints on ${address}, or say trustOnFirstUse: true`
  context.addIssue({ code: 'custom', path, message })
}
