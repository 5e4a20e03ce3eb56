import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../src/lib/log.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import { createReach, type ReachOptions } from '../../../src/shell/reach.ts'

const binary = process.env.KITBAG_SSHD ?? '/usr/sbin/sshd'

/** Why the tests with a real OpenSSH cannot run here; undefined when they can. */
export const noSshd: string | undefined = existsSync(binary)
  ? undefined
  : `${binary} is missing: apt-get install openssh-server, or name one by KITBAG_SSHD`

export interface TestSshd {
  machine: MachineAccess
  /** The same machine, logged in to as somebody who needs sudo. A stand-in for sudo writes its arguments to `sudoLog`. */
  withSudo: MachineAccess
  /** A folder with room for 1 MB; only as root. */
  small: string | undefined
  privateKey: string
  folder: string
  sudoLog(): Promise<string>
  /** Ends it and every session of it, without a word. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its folder. */
  remove(): Promise<void>
}

/** An OpenSSH server on a loopback port, run by whoever runs the tests. As root: in namespaces of its own, so that nothing of the box changes. */
export async function startSshd(settings: string[] = []): Promise<TestSshd> {
  const folder = await mkdtemp(join(tmpdir(), 'kitbag-sshd-'))
  const file = (name: string) => join(folder, name)
  const hostKey = generateKeyPair('host')
  const login = generateKeyPair('login')
  const port = await freePort()
  const root = process.getuid?.() === 0
  await chmod(folder, 0o755)
  await writeFile(file('host_key'), hostKey.privateKey, { mode: 0o600 })
  await writeFile(file('authorized_keys'), `${login.publicKey}\n`)
  await writeFile(file('sudo'), '#!/bin/sh\necho "$*" >>"${0%/*}/sudo.log"\n[ "$1" = -n ] && shift\nexec "$@"\n', {
    mode: 0o755,
  })
  await writeFile(file('passwd'), passwd(folder))
  await writeFile(
    file('sshd_config'),
    [
      ...settings,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PidFile none',
      'MaxStartups 500',
      `SetEnv PATH=${folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      '',
    ].join('\n'),
  )
  const command = `${binary} -D -e -f ${file('sshd_config')}`
  const inNamespace = [
    `mount --bind ${file('passwd')} /etc/passwd`,
    'mount -t tmpfs tmpfs /run',
    `mkdir -p /run/sshd ${file('small')}`,
    `mount -t tmpfs -o size=1m tmpfs ${file('small')}`,
    `exec ${command}`,
  ].join(' && ')
  // Ends with the tests, and in a process namespace so do the commands that tests leave running.
  const line = root
    ? [
        '--pdeathsig',
        'KILL',
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        'sh',
        '-c',
        inNamespace,
      ]
    : ['--pdeathsig', 'KILL', ...command.split(' ')]
  let child: ChildProcess | undefined
  let said = ''

  async function start(): Promise<void> {
    child = spawn('setpriv', line, { stdio: ['ignore', 'ignore', 'pipe'] })
    const listening = new Promise<void>((resolve, reject) => {
      child?.stderr?.on('data', (chunk) => {
        said += chunk
        if (said.includes('Server listening')) resolve()
      })
      child?.once('exit', () => reject(new Error(`sshd ended: ${said}`)))
      child?.once('error', reject)
    })
    await listening
    said = ''
  }

  async function kill(): Promise<void> {
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    if (root) for (const pid of childrenOf(child.pid)) killIfThere(pid)
    else {
      // Sessions before their commands, or they would report how those ended.
      const sessions = childrenOf(child.pid).flatMap((pid) => [pid, ...childrenOf(pid)])
      child.kill('SIGKILL')
      for (const pid of [...sessions, ...processesOf(folder)]) killIfThere(pid)
    }
    await ended
  }

  await start()
  const machine: MachineAccess = {
    id: 'mac_openssh',
    name: 'openssh-1',
    address: '127.0.0.1',
    port,
    user: userInfo().username,
    hostKey: hostKey.publicKey,
  }
  return {
    machine,
    withSudo: root ? { ...machine, id: 'mac_sudo', user: 'debian' } : machine,
    small: root ? file('small') : undefined,
    privateKey: login.privateKey,
    folder,
    sudoLog: () => readFile(file('sudo.log'), 'utf8'),
    start,
    kill,
    async remove() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The box's users, but logging in as root reads nobody's profile; and one beside root that is none by name, for sudo. */
function passwd(home: string): string {
  const others = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => !/^(root|debian):/.test(line))
    .join('\n')
  const sshd = others.includes('\nsshd:') ? '' : 'sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n'
  return `root:x:0:0::${home}:/bin/sh\n${others}${sshd}debian:x:0:0::${home}:/bin/sh\n`
}

/** A Reach with the test's key that logs nothing. */
export function reachTo(privateKey: string, options: Partial<ReachOptions> = {}) {
  return createReach({ privateKey, log: createLog({ write: () => {} }), ...options })
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error
  }
}

/** Commands that a session of this server has started: its folder stands in their environment. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`PATH=${folder}:`)
      } catch {
        return false
      }
    })
}
