import { isIP } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { KitbagError } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import { hostKeyField, jumpSchema, jumpTarget } from './jump.ts'
import { createPins } from './pins.ts'

/** A cloud's jump host: its key is given, never believed the first time. */
const cloudJumpSchema = jumpSchema
  .extend({
    hostKey: hostKeyField.describe('`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there prints it'),
  })
  .optional()
  .describe('A machine that every connection to machines of this cloud goes through')

/** Settings of a cloud that say how its machines are reached by SSH. */
export const sshFields = {
  reach: z
    .enum(['public', 'private'])
    .default('public')
    .describe(
      'Where Kitbag logs in: at the public address, or at the private one because it runs in, or is routed to, that network',
    ),
  jump: cloudJumpSchema,
  sshFrom: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .min(1)
    .optional()
    .describe("Networks that SSH may come from: the control plane's. Default: from everywhere"),
}

type CloudJump = NonNullable<z.infer<typeof cloudJumpSchema>>

interface JumpedSettings {
  jump?: CloudJump | undefined
  reach: 'public' | 'private'
  sshFrom?: string[] | undefined
}

/** What a jump host asks of the other settings. */
export function checkJump({ jump, reach, sshFrom }: JumpedSettings, context: z.RefinementCtx): void {
  if (!jump) return
  const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (reach === 'public') complain('reach', 'private, since connections go through the jump host')
  if (!sshFrom && !isPrivate(jump.address))
    complain(
      'sshFrom',
      'needed: the address by which machines see the jump host, such as 10.0.0.4/32. SSH is let in from there alone',
    )
}

/** Where nothing else is said, SSH comes from the jump host alone. */
export function sshThroughJump<T extends JumpedSettings>(settings: T): T {
  const { jump, sshFrom } = settings
  return jump && !sshFrom
    ? { ...settings, sshFrom: [`${jump.address}/${isIP(jump.address) === 6 ? 128 : 32}`] }
    : settings
}

/** RFC 1918, RFC 6598, RFC 4193. */
function isPrivate(address: string): boolean {
  return (
    isIP(address) !== 0 &&
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(address)
  )
}

interface Ssh {
  publicKey: string
  exec: Reach['exec']
  hostKeys(machine: Omit<MachineAccess, 'hostKey'>): Promise<string[]>
}

export interface JumpHost {
  /** Throws `machine-unreachable`, `host-key-mismatch`. */
  access(): Promise<MachineAccess>
  /** Whether Kitbag can log in there, and go on from there. */
  finding(): Promise<Finding>
}

/** The jump host of a cloud; undefined: there is none. `home`: where the installation keeps state. */
export function jumpHost(
  cloud: string,
  jump: CloudJump | undefined,
  { ssh, home }: { ssh?: Ssh; home: string },
): JumpHost | undefined {
  if (!jump) return undefined
  const target = jumpTarget(cloud, jump)
  const pins = ssh && createPins(ssh, join(home, 'jump', cloud))
  const access = async () => {
    if (!pins) throw new KitbagError('internal', `cloud ${cloud}: there is no way to SSH, which its jump host needs`)
    return { ...target, hostKey: await pins.keyOf(target, jump.hostKey) }
  }
  return {
    access,
    async finding() {
      const name = 'jump host'
      try {
        const through = await access()
        if (!ssh) throw new KitbagError('internal', 'there is no way to SSH')
        await ssh.exec(through, 'true', { timeout: patience })
        await goOn(ssh, through)
        return { name, ok: true, detail: `${target.user}@${target.address} lets Kitbag in, and on` }
      } catch (error) {
        const { message, fix } = error as KitbagError
        const key = ssh ? ` Kitbag's login key, for authorized_keys of ${target.user} there: ${ssh.publicKey}` : ''
        return { name, ok: false, detail: `${message}.${fix === undefined ? '' : ` ${fix}`}${key}` }
      }
    },
  }
}

/** Milliseconds for a command there. */
const patience = 15_000

/** A connection from there to its own SSH: whether sshd lets connections be forwarded. Its port inside may be another one than outside. */
async function goOn(ssh: Ssh, jump: MachineAccess): Promise<void> {
  try {
    await ssh.hostKeys({ ...jump, id: `${jump.id}:itself`, address: '127.0.0.1', jump })
  } catch (error) {
    if (!isProhibited(error)) return
    throw new KitbagError('machine-unreachable', `${jump.name} forwards no connections`, {
      cause: error,
      fix: 'Set AllowTcpForwarding yes in its sshd_config.',
    })
  }
}

/** RFC 4254, 5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, as the SSH library tells it. */
function isProhibited(error: unknown): boolean {
  const { reason, cause } = (error ?? {}) as { reason?: unknown; cause?: unknown }
  return reason === 1 || (cause !== undefined && isProhibited(cause))
}
