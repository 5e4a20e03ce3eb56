import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { surveyScript } from './script.ts'

/** A socket that somebody listens on. */
export interface Listener {
  protocol: 'tcp' | 'udp'
  address: string
  port: number
  /** Empty: not known. */
  program: string
}

/** What a machine said of itself. */
export interface Survey {
  /** Text of the mark that it carries. */
  mark?: string
  /** Folders of Kitbag's that are there. */
  folders: string[]
  /** `debian-13` */
  image?: string
  os?: string
  systemd: boolean
  apt: boolean
  cpu?: number
  /** Bytes. */
  memory?: number
  /** Bytes free, of / or /var whichever has less. */
  free?: number
  /** Bytes of the file system of /. */
  disk?: number
  readOnly: boolean
  /** Milliseconds that its clock is ahead of this one. */
  skew?: number
  listeners: Listener[]
}

/** Milliseconds for one look at one machine. */
const patience = 20_000

/** Looks at a machine as root. Throws `machine-unreachable`, `host-key-mismatch`; `provider-failed` where sudo is refused. */
export async function survey({ exec }: Pick<Reach, 'exec'>, machine: MachineAccess): Promise<Survey> {
  const before = Date.now()
  const answer = await exec(machine, 'sh', { root: true, stdin: surveyScript, timeout: patience })
  if (/^end yes$/m.test(answer.stdout)) return parseSurvey(answer.stdout, (before + Date.now()) / 2)
  throw refused(machine, answer)
}

/** What an unfinished command of root's says: mostly that sudo is not allowed. */
export function refused(
  { name, user }: MachineAccess,
  { status, stdout, stderr }: { status: number | null; stdout: string; stderr: string },
): KitbagError {
  const said = stderr.trim().split('\n').at(-1) || stdout.trim().split('\n').at(-1) || `status ${status}`
  if (user !== 'root' && /sudo/.test(stderr))
    return new KitbagError('provider-failed', `${name}: ${user} may not use sudo without a password: ${said}`, {
      machine: name,
      fix: `Run there as root: apt-get install -y sudo; echo '${user} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/kitbag-login`,
    })
  return new KitbagError('provider-failed', `${name}: a look at it failed: ${said}`, { machine: name, retryable: true })
}

/** `now`: this clock in the middle of the look. */
function parseSurvey(text: string, now: number): Survey {
  const lines = text.split('\n').map((line) => {
    const at = line.indexOf(' ')
    return at < 0 ? ([line, ''] as const) : ([line.slice(0, at), line.slice(at + 1)] as const)
  })
  const all = (word: string) => lines.filter(([name]) => name === word).map(([, value]) => value)
  const number = (word: string) => {
    const values = all(word).map(Number).filter(Number.isFinite)
    return values.length === 0 ? undefined : Math.min(...values)
  }
  const [mark] = all('claim')
  const [cpu, memory, free, disk, clock] = ['cpu', 'memory', 'free', 'disk', 'clock'].map(number)
  const [image] = all('image')
  const [os] = all('os')
  return {
    ...(mark !== undefined && { mark }),
    folders: all('folder'),
    ...(image !== undefined && { image }),
    ...(os !== undefined && { os }),
    systemd: all('systemd').length > 0,
    apt: all('apt').length > 0,
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory: memory * 1024 }),
    ...(free !== undefined && { free: free * 1024 }),
    ...(disk !== undefined && { disk: disk * 1024 }),
    readOnly: all('readonly').length > 0,
    ...(clock !== undefined && { skew: clock * 1000 - now }),
    listeners: all('listens').flatMap(parseListener),
  }
}

/** A line of `ss -Hltunp`. */
function parseListener(line: string): Listener[] {
  const [protocol, , , , local = '', , users = ''] = line.trim().split(/\s+/)
  const port = Number(local.slice(local.lastIndexOf(':') + 1))
  if ((protocol !== 'tcp' && protocol !== 'udp') || !Number.isInteger(port)) return []
  const address = local
    .slice(0, local.lastIndexOf(':'))
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '')
  return [{ protocol, address, port, program: /"([^"]*)"/.exec(users)?.[1] ?? '' }]
}
