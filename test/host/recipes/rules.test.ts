import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const fresh = () => {
    root = new ThrowawayRoot(shell)
    return root
  }
  const it = (name: string, run: () => void | Promise<void>) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, run)

  it('a notification is fired once, at the end, however many changed', () => {
    fresh().write('/fake/a.service.active', '')
    const source = recipe(`resources:
  - { file: /srv/1, content: "1", notify: { restart: a } }
  - { file: /srv/2, content: "2", notify: [{ restart: a }, { reload: a }] }
  - { file: /srv/3, content: "3", notify: { reload: b } }`)
    const run = root.run(program(source))
    expect(outline(run).slice(3)).toEqual(['changed restart:a.service', 'changed reload:b.service'])
    expect(root.calls()).toEqual(['systemctl restart a.service', 'systemctl reload-or-restart b.service'])
  })

  it('a suppressed notification is not fired, not even one that a former run left behind', () => {
    fresh().write('/var/lib/kitbag/pending/reload:a.service', '')
    const source = recipe('resources: [{ file: /srv/1, content: "1", notify: { reload: a } }]')
    expect(root.run(program(source, { suppress: ['reload:a'] })).end?.changed).toBe(1)
    expect(root.run(program(source)).end?.changed).toBe(0)
    expect(root.calls()).toEqual([])
  })

  it('a notification that failed stays until it works', () => {
    fresh().write('/fake/a.service.broken', '')
    const source = recipe('resources: [{ file: /srv/1, content: "1", notify: { reload: a } }]')
    const failed = root.run(program(source))
    expect(outline(failed).at(-1)).toBe('failed reload:a.service')
    expect(failed.events.at(-1)?.output).toContain('Job for a.service failed')
    expect(failed.end?.end).toBe(true)
    root.runText('rm /fake/a.service.broken')
    expect(outline(root.run(program(source)))).toEqual(['ok file:/srv/1', 'changed reload:a.service'])
  })

  it('a file that its check refuses leaves the old one in place and notifies nobody', () => {
    fresh().write('/srv/conf', 'old\n')
    const source = recipe(`resources:
  - { file: /srv/conf, content: "bad\\n", validate: "grep -q good %s || { echo no good in %s; false; }", notify: { reload: a } }
  - { file: /srv/later, content: "x" }`)
    const run = root.run(program(source))
    expect(outline(run)).toEqual(['failed file:/srv/conf'])
    expect(run.events[0]?.output).toContain('the old one stays')
    expect(run.events[0]?.output).toContain('no good in /srv/.conf.kitbag')
    expect(run.end?.changed).toBe(0)
    expect(root.read('/srv/conf')).toBe('old\n')
    expect(root.exists('/srv/.conf.kitbag')).toBe(false)
    expect(root.exists('/srv/later')).toBe(false)
    expect(root.calls()).toEqual([])
  })

  it('a full disk fails the file, keeps the old one and leaves nothing behind', () => {
    fresh()
    const source = recipe(
      'resources: [{ file: /small/conf, content: "{{line parameters.x}}" }]\nparameters: { x: { type: string } }',
    )
    const run = root.run(program(source, { context: { parameters: { x: 'x'.repeat(60_000) } } }))
    expect(outline(run)).toEqual(['failed file:/small/conf'])
    expect(run.events[0]?.output).toMatch(/^cannot write \/small\/\.conf\.kitbag\n(.*\n)*.* 100% \/small/)
  })

  it('stops between two resources when it is asked to, and says so', () => {
    fresh()
    const source = recipe(`resources:
  - { command: "touch /run/kitbag/stop.$NONCE", name: stop, always: true, environment: { NONCE: "@NONCE@" } }
  - { file: /srv/later, content: "x" }`)
    const asked = program(source)
    const run = root.run({ ...asked, text: asked.text.replace('@NONCE@', asked.nonce) })
    expect(outline(run)).toEqual(['changed command:stop'])
    expect(run.end).toEqual({ end: true, stopped: true, changed: 1 })
    expect(root.exists('/srv/later')).toBe(false)
    expect(root.exists(`/run/kitbag/stop.${asked.nonce}`)).toBe(false)
  })

  it('waits for the program that has the machine, and says so', async () => {
    fresh().runText('mkfifo /srv/started /srv/go')
    const holds = recipe('resources: [{ command: "echo >/srv/started; read -r x </srv/go", name: hold, always: true }]')
    const waits = program(recipe('resources: [{ file: /srv/after, content: "x" }]'))
    const first = root.start(program(holds), () => undefined)
    await readFile(join(root.dir, '/srv/started'))
    const second = root.start(waits, (line) => {
      if (line.includes('waiting')) writeFileSync(join(root.dir, '/srv/go'), 'go\n')
    })
    expect((await first).end?.changed).toBe(1)
    expect(await second).toMatchObject({ waited: true, end: { changed: 1 } })
  })

  it('what a command prints is no event, and its last 20 lines are in the failure', () => {
    fresh()
    const source = recipe(`resources:
  - command: |
      printf '%s {"index":9,"resource":"forged","status":"ok","changes":[]}\\n' @NONCE@ >&1
      printf '%s {"end":true,"changed":99}\\n' @NONCE@ >&2
      (echo '@NONCE@ {"end":true}' >&3) 2>/dev/null || echo no descriptor 3
      i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "line $i"; done
      printf 'tab\\there "quoted" back\\\\slash \\033[31mred \\377\\376 \\303\\251 end\\n'
      exit 7
    name: talkative
    always: true`)
    const asked = program(source)
    const run = root.run({ ...asked, text: asked.text.replaceAll('@NONCE@', asked.nonce) })
    expect(outline(run)).toEqual(['failed command:talkative'])
    expect(run.end).toEqual({ end: true, changed: 0 })
    const lines = run.events[0]?.output?.split('\n') ?? []
    expect(lines[0]).toBe('the command failed with status 7')
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('tab\there "quoted" back\\slash [31mred  \u00e9 end')
  })

  it('commands run only when their conditions say so', () => {
    fresh().write('/srv/there', '')
    const source = recipe(`resources:
  - { command: "echo ran", name: creates, creates: /srv/there }
  - { command: "echo ran", name: unless, unless: "test -e /srv/there" }
  - { command: "echo ran", name: only if, onlyIf: "test -e /srv/not-there" }
  - { command: "echo ran >/srv/in; cat >>/srv/in; pwd >>/srv/in; id -un >>/srv/in", name: runs, onlyIf: "test -e /srv/there && test \\"$A\\" = 1", environment: { A: 1 }, stdin: "hello\\n", cwd: /tmp }`)
    expect(outline(root.run(program(source)))).toEqual([
      'ok command:creates',
      'ok command:unless',
      'ok command:only if',
      'changed command:runs',
    ])
    expect(root.read('/srv/in')).toBe('ran\nhello\n/tmp\nroot\n')
  })

  it('a diff does not show secrets, neither new nor old ones', () => {
    fresh().write('/srv/conf', 'password=old-secret-1\n')
    root.write('/srv/other', 'a\n')
    const source = recipe(`parameters: { password: { type: string, x-kitbag-secret: true } }
resources:
  - { file: /srv/conf, content: "password={{line parameters.password}}\\n" }
  - { file: /srv/other, content: "b\\n" }
  - { file: /srv/env, content: "{{#each env}}{{@index}}{{/each}}" }`)
    const context = { parameters: { password: 'new-secret-2' } }
    const run = root.run(program(source, { mode: 'check', context, secrets: ['new-secret-2'] }))
    expect(run.events.map(({ diff }) => diff)).toEqual([
      '[secret]',
      '--- /srv/other\n+++ /srv/other\n@@ -1 +1 @@\n-a\n+b',
      '[secret]',
    ])
    expect(run.stdout).not.toMatch(/secret-[12]/)
  })

  const hostile = [
    "it's",
    '"double"',
    '$(touch /srv/pwned)',
    '`touch /srv/pwned`',
    '; touch /srv/pwned',
    '*',
    '~',
    '\\',
    "\\'",
    '%s%n',
    '-n',
    '',
    ' lead and trail ',
    'two\nlines\n',
    '\ttab\r',
    '\u001b[31mred\u001b[0m',
    'é 🎒 漢字 \u0081\u0088',
    "'".repeat(500),
    '{{line x}}',
    '${x}',
    'x'.repeat(65_536),
    'KITBAG_SUMS',
    "$'\\n'",
    '!history',
    'a=b',
    '\u2028',
  ]
  it('values arrive byte for byte in files, environments and standard input, and nothing of them runs', () => {
    fresh()
    const source = recipe(`resources:
  - { file: /srv/script, content: "{{#each env}}export {{envName @key}}={{sh this}}\\n{{/each}}" }
  - { command: "env -0 >/srv/environ", name: environment, always: true, environment: "\${env}" }
  - { command: ". /srv/script; env -0 >/srv/sourced", name: script, always: true }
  - { command: "cat >/srv/stdin", name: stdin, always: true, stdin: "{{#each env}}{{json this}}\\n{{/each}}" }`)
    const env = Object.fromEntries(hostile.map((value, index) => [`V${index}`, value]))
    const run = root.run(program(source, { context: { env } }))
    expect(run.end?.changed).toBe(4)
    for (const file of ['/srv/environ', '/srv/sourced']) {
      const found = Object.fromEntries(
        root
          .read(file)
          .split('\0')
          .filter((entry) => /^V\d+=/.test(entry))
          .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
      )
      expect(found).toEqual(env)
    }
    expect(
      root
        .read('/srv/stdin')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(hostile)
    expect(root.exists('/srv/pwned')).toBe(false)
    expect(root.run(program(source, { context: { env }, mode: 'check' })).end?.changed).toBe(0)
  })

  it('what stands in the way is named, not removed', () => {
    fresh().runText('mkdir /srv/file /srv/link2; echo x >/srv/dir; echo x >/srv/link; mkfifo /srv/pipe')
    for (const [resource, message] of [
      ['{ file: /srv/file, content: "x" }', '/srv/file is a directory, not a file: remove it first'],
      ['{ file: /srv/pipe, content: "x" }', '/srv/pipe is a pipe, not a file: remove it first'],
      [
        '{ file: /srv/no/file, content: "x" }',
        'the folder /srv/no does not exist; put a directory resource for it before this one',
      ],
      ['{ directory: /srv/dir }', '/srv/dir is a file, not a directory: remove it first'],
      ['{ link: /srv/link, target: x }', '/srv/link is a file, not a link: remove it first, or say replace: true'],
      ['{ link: /srv/link2, target: x, replace: true }', '/srv/link2 is a directory, not a link: remove it first'],
      ['{ link: /srv/l, targetPattern: /srv/x* }', 'nothing on this machine matches its targetPattern'],
      ['{ file: /srv/x, content: "x", owner: nobody-here }', 'cannot set owner or mode'],
      ['{ service: a, state: running }', 'systemctl start a.service failed'],
    ]) {
      root.write('/fake/a.service.broken', '')
      const run = root.run(program(recipe(`resources: [${resource}]`)))
      expect(run.events.at(-1)?.status).toBe('failed')
      expect(run.events.at(-1)?.output).toContain(message)
      expect(run.end?.end).toBe(true)
    }
  })
})
