import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findProcesses } from '../../../src/main/embedded/processes.ts'
import { buildKitbag } from '../../support/control-plane.ts'

const root = join(import.meta.dirname, '../../..')
const isRoot = process.platform === 'linux' && process.getuid?.() === 0
let folder: string
beforeEach(() => {
  buildKitbag()
  folder = mkdtempSync(join(tmpdir(), 'kitbag-missing-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program to its end; its environment is the given one only, beside PATH and a HOME of its own. */
function run(command: string[], env: Record<string, string>): Promise<{ status: number | null; output: string }> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: folder, KITBAG_LISTEN: '127.0.0.1:0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

const kitbag = (env: Record<string, string>) => run(['bin/kitbag', 'up'], env)
const demo = (env: Record<string, string>, ...flags: string[]) =>
  run([process.execPath, ...flags, 'dist/demo.js', '--once'], { KITBAG_DEMO_HOME: join(folder, 'demo'), ...env })

/** The one sentence that says what is missing and what to do. */
function sentence(output: string): string {
  const lines = output.split('\n').filter((line) => line.startsWith('kitbag'))
  expect(lines, output).toHaveLength(1)
  return lines[0] ?? ''
}

function children(home: string): number[] {
  return [
    ...findProcesses('postgres', '-D', join(home, 'postgres')),
    ...findProcesses('temporal', '--db-filename', join(home, 'temporal/temporal.db')),
  ]
}

describe('what is missing is one sentence that says what to do, and status 1', () => {
  test('a home that cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    const homes = [join(folder, 'file/home'), join(folder, 'file'), '/proc/kitbag']
    for (const [run, home] of homes.flatMap((home) => [[kitbag, home] as const, [demo, home] as const])) {
      const { status, output } = await run({ KITBAG_HOME: home, KITBAG_DEMO_HOME: home })
      expect(status).toBe(1)
      expect(sentence(output)).toContain(`cannot make the folder ${home}`)
      expect(sentence(output)).toContain('Set KITBAG_HOME to a folder that this user may write to.')
    }
  })

  test('not Linux: the demo says so at once', async () => {
    const preload = join(folder, 'darwin.mjs')
    writeFileSync(preload, "Object.defineProperty(process, 'platform', { value: 'darwin' })\n")
    const { status, output } = await demo({}, '--import', preload)
    expect(status).toBe(1)
    expect(sentence(output)).toContain('take Linux and root, and this is darwin. Run Kitbag as root on a Linux box')
    expect(readdirSync(join(folder, 'demo'))).toEqual([])
  })

  test('not root: the demo says so at once, whatever else would take long', async (context) => {
    if (!isRoot) context.skip('a root that pretends not to be one is needed')
    const preload = join(folder, 'user.mjs')
    writeFileSync(preload, 'process.getuid = () => 1000\n')
    // An empty cache: the Temporal server would have to be got first.
    const { status, output } = await demo(
      { KITBAG_CACHE: join(folder, 'cache'), PATH: '/usr/bin:/bin' },
      '--import',
      preload,
    )
    expect(status).toBe(1)
    expect(sentence(output)).toContain('take Linux and root, and this is not root. Run Kitbag as root')
  })

  test('no disk space: nothing half-made is left', async (context) => {
    if (!isRoot) context.skip('mounting a small file system needs root on Linux')
    const home = join(folder, 'full')
    const mount = await run(['mount', '-t', 'tmpfs', '-o', 'size=40m', '--mkdir', 'kitbag-test', home], {})
    expect(mount, mount.output).toMatchObject({ status: 0 })
    try {
      const { status, output } = await kitbag({ KITBAG_HOME: home })
      expect(status).toBe(1)
      expect(sentence(output)).toMatch(/PostgreSQL needs 256 MiB in \S+, \d+ MiB are free\. Free some disk space there/)
      expect(children(home)).toEqual([])
      expect(readdirSync(home).filter((name) => name.startsWith('postgres') && name !== 'postgres.log')).toEqual([])
      expect(existsSync(join(home, 'lock'))).toBe(false)
    } finally {
      await run(['umount', home], {})
    }
  })

  test('the package registry away: npm run demo says so, and leaves no packages half installed', async () => {
    const copied = await run(
      ['cp', '-r', '--parents', 'package.json', 'package-lock.json', 'scripts', `${folder}/`],
      {},
    )
    expect(copied, copied.output).toMatchObject({ status: 0 })
    const { status, output } = await run([process.execPath, join(folder, 'scripts/run.mjs'), 'demo'], {
      npm_config_registry: 'http://127.0.0.1:1/',
      npm_config_cache: join(folder, 'npm-cache'),
    })
    expect(status).toBe(1)
    expect(sentence(output)).toContain('the npm packages could not be installed (npm error code ECONNREFUSED)')
    expect(sentence(output)).toContain('check that the npm registry can be reached and run this again')
    expect(existsSync(join(folder, 'node_modules/.kitbag-lock'))).toBe(false)
  })
})
