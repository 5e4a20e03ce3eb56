import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { HostProgram } from '../../../src/model/program.ts'
import type { ResourceEvent } from '../../../src/model/recipe.ts'
import { fakes, fatal, fatalTools } from './fakes.ts'

export interface Shell {
  name: string
  command: string[]
  /** Why its tests cannot run here; undefined when they can. */
  missing: string | undefined
}

const asRoot = process.platform === 'linux' && process.getuid?.() === 0
const notHere = asRoot ? undefined : 'needs Linux and root for its mount namespaces'
const has = (file: string) => existsSync(file)

/** The shells that a host program must run under. */
export const shells: Shell[] = [
  {
    name: 'dash',
    command: ['/usr/bin/dash'],
    missing: notHere ?? (has('/usr/bin/dash') ? undefined : 'dash is not installed'),
  },
  {
    name: 'busybox ash',
    command: ['/usr/bin/busybox', 'ash'],
    missing: notHere ?? (has('/usr/bin/busybox') ? undefined : 'busybox is not installed: apt-get install busybox'),
  },
]

export interface Run {
  status: number | null
  /** Events behind the nonce, in order, without the last line. */
  events: ResourceEvent[]
  /** The last line; undefined when the program was cut. */
  end: { end: true; changed: number; stopped?: boolean } | undefined
  waited: boolean
  stdout: string
  stderr: string
}

/** A root of its own with /usr of this box below it, read only: what a program does there is gone with the folder. */
export class ThrowawayRoot {
  readonly dir = mkdtempSync(join(tmpdir(), 'kitbag-root-'))
  readonly shell: Shell

  constructor(shell: Shell) {
    this.shell = shell
    for (const folder of [
      'etc',
      'run',
      'srv',
      'opt',
      'tmp',
      'dev',
      'proc',
      'usr',
      'fake',
      'small',
      'root',
      'sbin-fakes',
    ])
      this.mkdir(`/${folder}`)
    for (const folder of ['/var/lib/dpkg/updates', '/var/cache/kitbag/blobs', '/etc/systemd/system']) this.mkdir(folder)
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(this.dir, link))
    this.write('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
    this.write('/etc/group', 'root:x:0:\n')
    for (const name of ['packages', 'calls', 'apt-says', 'count', 'kill']) this.write(`/fake/${name}`, '')
    for (const [name, text] of Object.entries(fakes)) this.fake(name, text)
  }

  /** Puts a stand-in before the box's own tool. */
  fake(name: string, text: string): void {
    writeFileSync(join(this.dir, 'sbin-fakes', name), `#!/bin/dash\n${text}\n`, { mode: 0o755 })
  }

  /** Every tool that changes something ends the program at one of its calls, counted over all of them. */
  killAt(call: number, when: 'before' | 'after'): void {
    this.write('/fake/count', '0\n')
    this.write('/fake/kill', `${call} ${when}\n`)
    for (const tool of fatalTools) this.fake(tool, fatal(`"$(command -v -p ${tool} || echo /usr/sbin/${tool})" "$@"`))
    this.fake('apt-get', fatal(`( ${fakes['apt-get']}\n)`))
    this.fake(
      'systemctl',
      `case $1 in is-active|is-enabled) ${fakes.systemctl}\n;; esac\n${fatal(`( ${fakes.systemctl}\n)`)}`,
    )
  }

  /** Calls of wrapped tools so far; then they are themselves again. */
  disarm(): number {
    const count = Number(this.read('/fake/count'))
    for (const tool of fatalTools) rmSync(join(this.dir, 'sbin-fakes', tool), { force: true })
    for (const name of ['apt-get', 'systemctl']) this.fake(name, fakes[name] ?? '')
    return count
  }

  mkdir(path: string): void {
    mkdirSync(join(this.dir, path), { recursive: true })
  }

  write(path: string, text: string | Buffer, mode = 0o644): void {
    this.mkdir(dirname(path))
    writeFileSync(join(this.dir, path), text, { mode })
  }

  read(path: string): string {
    return readFileSync(join(this.dir, path), 'utf8')
  }

  exists(path: string): boolean {
    return lstatSync(join(this.dir, path), { throwIfNoEntry: false }) !== undefined
  }

  /** What the stand-ins were told, and forgets it. */
  calls(): string[] {
    const lines = this.read('/fake/calls').split('\n').filter(Boolean)
    this.write('/fake/calls', '')
    return lines
  }

  /** One line per file below: path, mode, owner, kind, content. /run is left out, as a reboot would, and so is the stand-ins' own. */
  tree(): string[] {
    const lines: string[] = []
    const walk = (path: string) => {
      for (const name of readdirSync(join(this.dir, path)).sort()) {
        const child = join(path, name)
        if (['/usr', '/dev', '/proc', '/run', '/fake', '/sbin-fakes', '/small'].includes(child)) continue
        const { mode, uid, gid } = lstatSync(join(this.dir, child))
        const type = mode & 0o170000
        const content =
          type === 0o120000 ? readlinkSync(join(this.dir, child)) : type === 0o100000 ? this.sum(child) : ''
        lines.push(`${child} ${mode.toString(8)} ${uid}:${gid} ${content}`)
        if (type === 0o040000) walk(child)
      }
    }
    walk('/')
    return lines
  }

  private sum(path: string): string {
    return createHash('sha256')
      .update(readFileSync(join(this.dir, path)))
      .digest('hex')
      .slice(0, 12)
  }

  private arguments(): string[] {
    const mounts = [
      'set -e',
      'mount --bind /usr "$1/usr"',
      'mount -o remount,ro,bind "$1/usr"',
      'mount --bind "$1/sbin-fakes" "$1/usr/local/sbin"',
      'mount --rbind /dev "$1/dev"',
      'mount -t tmpfs -o size=8k tmpfs "$1/small"',
      'root=$1; shift; exec chroot "$root" "$@"',
    ]
    return ['-m', 'sh', '-c', mounts.join('\n'), 'sh', this.dir, ...this.shell.command]
  }

  /** Runs a text as the transport does: on the standard input of a shell. */
  runText(text: string | Buffer): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr, error } = spawnSync('unshare', this.arguments(), {
      timeout: 200_000,
      input: text,
      detached: true,
      maxBuffer: 1 << 28,
    } as object)
    if (error) throw error
    return { status, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') }
  }

  run(program: HostProgram): Run {
    return this.parse(program, this.runText(program.text))
  }

  /** Starts a program and gives its lines as they come. */
  start(program: HostProgram, onLine: (line: string) => void): Promise<Run> {
    const child = spawn('unshare', this.arguments(), { detached: true })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const before = stdout.split('\n').length - 1
      stdout += chunk
      for (const line of stdout.split('\n').slice(before, -1)) onLine(line)
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdin.end(program.text)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status) => resolve(this.parse(program, { status, stdout, stderr })))
    })
  }

  private parse(
    program: HostProgram,
    { status, stdout, stderr }: { status: number | null; stdout: string; stderr: string },
  ): Run {
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith(`${program.nonce} `))
      .map((line) => JSON.parse(line.slice(program.nonce.length + 1)))
    const end = lines.find((line) => line.end)
    return {
      status,
      end,
      waited: lines.some((line) => line.lock),
      events: lines.filter((line) => !line.end && !line.lock),
      stdout,
      stderr,
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** `ok file:/etc/x` for each event. */
export function outline({ events }: Run): string[] {
  return events.map(({ status, resource }) => `${status} ${resource}`)
}
