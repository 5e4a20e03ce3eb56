import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/lib/package-root.ts'
import { until } from '../support/until.ts'

interface RunningDemo {
  /** All that was written to the terminal. */
  screen(): string
  /** Its exit status once it ended. */
  status(): number | null | undefined
  type(keys: string): void
  /** Waits until the words are there, or the demo ended. */
  see(words: string): Promise<void>
  ended(): Promise<void>
}

const real = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/script')
const ctrlC = '\u0003'
const enter = '\r'
let home: string
let running: RunningDemo | undefined

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kitbag-e2e-'))
})
afterEach(async () => {
  // What a failed test left: machines too.
  if (running && running.status() === undefined) {
    running.type(ctrlC)
    await until(() => running?.screen().includes('[D]estroy') || running?.status() !== undefined)
    running.type(enter)
    await until(() => running?.status() !== undefined)
  }
  rmSync(home, { recursive: true, force: true })
})

/** The demo in a terminal of its own. */
function runDemo(): RunningDemo {
  const command = `stty cols 80 rows 24; exec ${process.execPath} ${join(packageRoot(), 'dist/demo.js')}`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm', KITBAG_DEMO_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let [screen, status]: [string, number | null | undefined] = ['', undefined]
  child.stdout.on('data', (chunk) => (screen += chunk))
  child.on('close', (code) => {
    status = code
  })
  const demo: RunningDemo = {
    screen: () => screen,
    status: () => status,
    type: (keys: string) => void child.stdin.write(keys),
    see: (words: string) => until(() => screen.includes(words) || status !== undefined, 300_000),
    ended: () => until(() => status !== undefined, 300_000),
  }
  running = demo
  return demo
}

/** Mounts that belong to the home. */
function leftovers(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${home}/`))
}

test('in a terminal: a live tree, what to try; Ctrl-C asks; kept it is there again, destroyed nothing is left', async (context) => {
  if (!real) context.skip('real local machines need root on Linux, and a terminal needs script(1)')
  const first = runDemo()
  await first.see('It stays up until Ctrl-C.')
  expect(first.screen()).toContain('    + install ')
  expect(first.screen()).toContain('\u001b[J')
  expect(first.screen()).toContain('The guestbook answers at http://')
  expect(first.screen()).toContain('kitbag lb stats guestbook')
  const url = /answers at (\S+)/.exec(first.screen())?.[1] ?? ''
  expect((await fetch(`${url}/ping`)).status).toBe(200)
  first.type(ctrlC)
  await first.see('[D]estroy')
  first.type(`k${enter}`)
  await first.ended()
  expect(first.status(), first.screen()).toBe(0)
  expect(first.screen()).toContain('Kept: the machines run on.')
  expect((await fetch(`${url}/ping`)).status).toBe(200)

  const second = runDemo()
  await second.see('It stays up until Ctrl-C.')
  expect(second.screen()).toContain(`The guestbook answers at ${url}`)
  second.type(ctrlC)
  await second.see('[D]estroy')
  second.type(enter)
  await second.ended()
  expect(second.status(), second.screen()).toBe(0)
  expect(second.screen()).toContain('Destroyed: no machine is left.')
  expect(leftovers()).toEqual([])
})

test('Ctrl-C while it deploys asks too; what is under way is cancelled, and nothing is left', async (context) => {
  if (!real) context.skip('real local machines need root on Linux, and a terminal needs script(1)')
  const demo = runDemo()
  await demo.see('* install')
  demo.type(ctrlC)
  await demo.see('[D]estroy')
  demo.type(enter)
  await demo.ended()
  expect(demo.status(), demo.screen()).toBe(0)
  expect(demo.screen()).toContain('deploy of guestbook cancelled')
  expect(demo.screen()).toContain('Destroyed: no machine is left.')
  expect(leftovers()).toEqual([])
})
