import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createProgram } from '../../../src/cli/program.ts'
import { addServerCommands } from '../../../src/main/server-commands.ts'
import { buildKitbag } from '../../support/control-plane.ts'
import { runCli } from './run-cli.ts'

buildKitbag()
const home = mkdtempSync(join(tmpdir(), 'kitbag-empty-'))
const kitbag = (args: string[], env: Record<string, string> = {}) =>
  runCli(args, { env: { KITBAG_HOME: home, ...env } })
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** `cloud add`, `deploy`, ...: every command that does something. */
function allCommands(): string[][] {
  const program = createProgram()
  addServerCommands(program)
  return program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name()]]
      : command.commands.map((below) => [command.name(), below.name()]),
  )
}

const promised =
  'up cloud schema validate plan deploy rollback releases list show check scale logs secret lb operations cancel destroy sweep doctor'

describe('help', () => {
  test('names every command, and what exit codes mean', async () => {
    const { status, stdout, stderr } = await kitbag(['--help'])
    expect([status, stderr]).toEqual([0, ''])
    for (const name of promised.split(' ')) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 changes')
  })

  test.each(allCommands().map((words) => [words.join(' '), words] as const))(
    'of %s says what it does and takes, with an example',
    async (name, words) => {
      const { status, stdout } = await kitbag([...words, '--help'])
      expect(status).toBe(0)
      expect(stdout).toContain(`Usage: kitbag ${name} `)
      expect(stdout).toMatch(/\nExamples?:\n {2}kitbag /)
      for (const line of stdout.split('\n').filter((text) => /^ {2}kitbag /.test(text)))
        expect(line).toContain(`kitbag ${words[0]}`)
      expect(stdout).toContain('--json')
      // Every option is told in words.
      expect(stdout).not.toMatch(/^ {2}-\S+( <\S+>)?$/m)
    },
  )
})

describe('called wrongly: exit code 3 and one sentence that says what to do', () => {
  test.each([
    ['an unknown command names the nearest', ['deplyo'], "unknown command 'deplyo' (Did you mean deploy?)", 'kitbag'],
    ['an unknown command below one', ['cloud', 'lst'], "unknown command 'lst' (Did you mean list?)", 'kitbag cloud'],
    [
      'an unknown option',
      ['deploy', '--nmae', 'x', 'f'],
      "unknown option '--nmae' (Did you mean --name?)",
      'kitbag deploy',
    ],
    ['a missing argument', ['deploy'], "missing required argument 'file'", 'kitbag deploy'],
    [
      'a missing option',
      ['cloud', 'add', 'x'],
      "required option '--provider <kind>' not specified",
      'kitbag cloud add',
    ],
    ['a word too many', ['list', 'x'], 'too many arguments', 'kitbag list'],
  ])('%s', async (_, args, message, command) => {
    const { status, stdout, stderr } = await kitbag(args)
    expect([status, stdout]).toEqual([3, ''])
    expect(stderr).toContain(`kitbag: ${message}`)
    expect(stderr).toContain(`See ${command} --help.`)
  })

  test('with --json it is problem details on standard output alone', async () => {
    const { status, stdout, stderr } = await kitbag(['deploy', '--json'])
    expect([status, stderr]).toEqual([3, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'urn:kitbag:problem:invalid-request',
      title: 'Invalid request',
      status: 400,
      code: 'invalid-request',
      detail: "missing required argument 'file'",
    })
  })

  test('nothing at all, or a group alone, prints the help', async () => {
    for (const args of [[], ['cloud'], ['secret']]) {
      const { status, stdout, stderr } = await kitbag(args)
      expect([status, stdout]).toEqual([3, ''])
      expect(stderr).toContain(`Usage: ${['kitbag', ...args].join(' ')}`)
    }
  })
})

describe('which control plane', () => {
  const refused = 'http://127.0.0.1:1'

  test('none runs here: says how to start one, exit code 5', async () => {
    const { status, stderr } = await kitbag(['list'])
    expect(status).toBe(5)
    expect(stderr).toContain(`no control plane runs on ${home}`)
    expect(stderr).toContain('kitbag up')
  })

  test('none answers: the same, and with --json', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    await new Promise((resolve) => server.close(resolve))
    const env = { KITBAG_URL: url, KITBAG_TOKEN: 'x' }
    const words = await kitbag(['list'], env)
    expect(words.status).toBe(5)
    expect(words.stderr).toContain(`no control plane answers at ${url} (ECONNREFUSED)`)
    expect(words.stderr).toContain('kitbag up')
    const json = await kitbag(['list', '--json'], env)
    expect([json.status, json.stderr]).toEqual([5, ''])
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'control-plane-unreachable', status: 503 })
  })

  test('no token for it: says where one is', async () => {
    const { status, stderr } = await kitbag(['list'], { KITBAG_URL: refused })
    expect(status).toBe(3)
    expect(stderr).toContain(`there is no token for the control plane at ${refused}`)
    expect(stderr).toContain('KITBAG_TOKEN')
  })

  test('what is no URL is named', async () => {
    const { status, stderr } = await kitbag(['list'], { KITBAG_URL: 'nonsense' })
    expect(status).toBe(3)
    expect(stderr).toContain('KITBAG_URL is "nonsense"')
  })

  test('the token of the home goes to the control plane of the home alone', async () => {
    const other = mkdtempSync(join(tmpdir(), 'kitbag-other-'))
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{"items":[]}')
    }).listen(0, '127.0.0.1')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
      writeFileSync(join(other, 'admin-token'), 'kbt_own\n')
      writeFileSync(join(other, 'control-plane.json'), JSON.stringify({ url: refused }))
      const elsewhere = await runCli(['list'], { env: { KITBAG_HOME: other, KITBAG_URL: url } })
      expect([elsewhere.status, seen]).toEqual([3, []])
      writeFileSync(join(other, 'control-plane.json'), JSON.stringify({ url }))
      const own = await runCli(['list'], { env: { KITBAG_HOME: other, KITBAG_URL: `${url}/` } })
      expect([own.status, seen]).toEqual([0, ['Bearer kbt_own']])
    } finally {
      server.close()
      rmSync(other, { recursive: true, force: true })
    }
  })
})

test('schema prints the JSON Schema of blueprints, without a control plane', async () => {
  const { status, stdout } = await kitbag(['schema'])
  expect(status).toBe(0)
  expect(Object.keys(JSON.parse(stdout).properties)).toContain('components')
})
