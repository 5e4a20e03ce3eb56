import { describe, expect, test } from 'vitest'
import { recipeOutputs } from '../../../src/recipes/outputs.ts'
import { completeParameters } from '../../../src/recipes/parameters.ts'
import { runtimeText } from '../../../src/recipes/runtime/parts.ts'
import { context, program, recipe } from './fixture.ts'

/** A program's own part: without the functions that every program brings. */
function body(text: string, parts: Parameters<typeof runtimeText>[0]): string {
  return text.replace(runtimeText(parts), '<runtime>\n')
}

describe('a program', () => {
  test('gathers facts in bulk, acts in order, notifies at the end, and begins on its last line', () => {
    const source = recipe(
      `parameters: { color: { type: string, default: "it's red" } }
resources:
  - package: [haproxy]
    phase: configure
  - file: /etc/haproxy/haproxy.cfg
    template: haproxy.cfg.hbs
    mode: "0640"
    group: haproxy
    validate: haproxy -c -f %s
    notify: { reload: haproxy }
  - service: haproxy
    state: running
    enabled: true
`,
      { 'haproxy.cfg.hbs': 'color {{haproxy parameters.color}}\n' },
    )
    const { text, nonce, resources, artifacts } = program(source, { suppress: ['reload:haproxy'] })
    expect(
      body(text, new Set(['package', 'path', 'file', 'service', 'extras'] as const)).replaceAll(nonce, 'NONCE'),
    ).toBe(`kitbag_program() {
N='NONCE' MODE='apply'
<runtime>
kb_packages() {
DS=1
D=$nl$(dpkg-query -W -f='\${db:Status-Status} \${Package} \${Version}\\n' 'haproxy' 2>/dev/null)$nl
}
kb_stat() {
FS=1
F=$nl$(stat -c '%n|%f|%U:%G|%N' -- '/etc/haproxy/haproxy.cfg' 2>/dev/null)$nl S= H=
kb_want '4627ea0ee3dbc51cd128e95ded30e60eeaca2bb725f8e2931ec21a6a3e72efd2' '/etc/haproxy/haproxy.cfg'
[ -z "$S" ] || H=$nl$(sha256sum -c 2>/dev/null <<KITBAG_SUMS
\${S#?}
KITBAG_SUMS
)$nl
}
kb_units() {
US=1 U=$nl
set -- $(systemctl is-active -- 'haproxy.service' 2>/dev/null)
U="$U"'haproxy.service'"=\${1-}$nl"; [ $# = 0 ] || shift
}
kb_begin
[ ! -d '/var/lib/kitbag/extras' ] || kb_extras '/var/lib/kitbag/extras' '  '
[ ! -e '/var/lib/kitbag/certificates/web' ] || rm -f '/var/lib/kitbag/certificates/web'
kb_at '0' 'package:haproxy'
kb_package 'haproxy' ''
kb_install
kb_at '1' 'file:/etc/haproxy/haproxy.cfg' 'reload:haproxy.service'
P='/etc/haproxy/haproxy.cfg'
kb_file '81a0' 'root:haproxy' || {
kb_content() { printf %s 'color '\\''it'\\''\\'\\'''\\''s red'\\''
'; }
kb_put '0640' 'root' 'haproxy' '077' '0' 'haproxy -c -f "$1"'
}
kb_at '2' 'service:haproxy'
kb_reload_units
kb_service 'haproxy.service' 'running' 'true'
kb_reload_units last
kb_at '3' 'reload:haproxy.service'
kb_fire 'reload' 'haproxy.service' '1'
kb_end
}
{ kitbag_program; exit; }
`)
    expect(resources.map(({ resource }) => resource)).toEqual([
      'package:haproxy',
      'file:/etc/haproxy/haproxy.cfg',
      'service:haproxy',
      'reload:haproxy.service',
    ])
    expect(artifacts).toEqual([])
  })

  test('is another one each time, by its nonce alone', () => {
    const source = recipe('resources: [{ file: /etc/x, content: x }]')
    const [one, two] = [program(source), program(source)]
    expect(one.nonce).not.toBe(two.nonce)
    expect(one.text.replaceAll(one.nonce, '')).toBe(two.text.replaceAll(two.nonce, ''))
  })

  test('holds the resources of its phase whose condition is true', () => {
    const source = recipe(`parameters: { tls: { type: boolean, default: false }, level: { type: integer } }
resources:
  - package: install-me
  - { file: /etc/a, content: a, when: "parameters.tls || port == 81" }
  - { file: /etc/b, content: b, when: "\${!parameters.tls && port != 81}" }
  - { file: /etc/c, content: c, when: parameters.level }
  - { command: "true", name: migrate, always: true, phase: migrate }`)
    const names = (request: object) => program(source, request).resources.map(({ resource }) => resource)
    expect(names({ phase: 'install' })).toEqual(['package:install-me'])
    expect(names({ phase: 'migrate' })).toEqual(['command:migrate'])
    expect(names({ context: { port: 80 } })).toEqual(['file:/etc/b'])
    expect(names({ context: { port: 81, parameters: { level: 3 } } })).toEqual(['file:/etc/a', 'file:/etc/c'])
    expect(source.signature.phases).toEqual(['install', 'migrate', 'configure'])
  })

  test.each([
    [
      'a newline in a line',
      '{ file: /etc/x, content: "name={{line parameters.v}}" }',
      'a\nb',
      'recipe demo: recipe.yaml:4:36: {{line parameters.v}}: holds a newline, which a line of this file cannot hold',
    ],
    [
      'an escape sequence',
      '{ file: /etc/x, content: "{{haproxy parameters.v}}" }',
      '\u001b[2J',
      '{{haproxy parameters.v}}: holds the control character U+001B, which a line of this file cannot hold',
    ],
    [
      'NUL',
      '{ file: /etc/x, content: "{{sh parameters.v}}" }',
      'a\0b',
      '{{sh parameters.v}}: holds the character NUL, which no text file can hold',
    ],
    [
      'half a surrogate pair',
      '{ file: /etc/x, content: "{{sh parameters.v}}" }',
      'a\ud800',
      '{{sh parameters.v}}: a shell argument cannot hold half of a surrogate pair',
    ],
    ['two words', '{ file: /etc/x, content: "{{conf parameters.v}}" }', 'a b', '"a b" is more than one plain word'],
    [
      'a text written bare',
      '{ file: /etc/x, content: "{{#each peers}}{{name}}{{/each}}" }',
      '',
      '{{name}}: is a text: write it through a helper that names the format',
    ],
    [
      'a bad path',
      '{ file: "/etc/${parameters.v}", content: x }',
      '../passwd',
      'recipe demo: recipe.yaml:4: file: file: must not hold "." or ".." as a part, found "/etc/../passwd"',
    ],
    [
      'a bad package',
      '{ package: "${parameters.v}", phase: configure }',
      'x; rm -rf /',
      'package: must be a package name',
    ],
    [
      'NUL in a field',
      '{ link: /etc/x, target: "${parameters.v}" }',
      'a\0b',
      '${parameters.v} holds the character NUL',
    ],
    [
      'a bad variable',
      '{ command: "true", name: x, always: true, environment: "${env}" }',
      '',
      'environment.A-B: is no name of an environment variable',
    ],
  ])('refuses what a place cannot hold, by name: %s', (_, resource, v, message) => {
    const source = recipe(`parameters: { v: { type: string } }\nresources:\n  - ${resource}`)
    const overrides = { parameters: { v }, env: { 'A-B': '1' }, peers: [{ name: 'a', address: '10.0.0.3' }] }
    expect(() => program(source, { context: overrides })).toThrow(message)
  })

  test('refuses a parameter that does not fit its schema, without repeating a secret', () => {
    const source = recipe(`parameters:
  level: { type: integer, maximum: 3 }
  password: { type: string, minLength: 8, x-kitbag-secret: true }
resources: []`)
    const parameters = (values: Record<string, unknown>) => () => program(source, { context: { parameters: values } })
    expect(parameters({ level: 9 })).toThrow('recipe demo: parameters.level: must be at most 3, found 9')
    expect(parameters({ level: 'x' })).toThrow('parameters.level: must be of type integer, found "x"')
    expect(parameters({ password: 'short' })).toThrow(/parameters.password: must have 8 characters or more$/)
  })

  test('refuses two wishes for one thing', () => {
    const source = recipe('resources: [{ file: /etc/x, content: a }, { file: "/etc/x", content: b }]')
    expect(() => program(source)).toThrow('recipe demo: file:/etc/x is there twice in one phase')
  })
})

describe('outputs and parameters', () => {
  const source = recipe(`port: 5432
parameters:
  user: { type: string, default: app }
  password: { type: string, x-kitbag-secret: true }
  size: { type: integer }
outputs:
  url: postgres://\${uri(outputs.user)}:\${uri(parameters.password)}@\${host(machine.address)}:\${port}/x
  user: \${parameters.user}
  port: \${port}
resources: []`)

  test('outputs are expressions, and those of one value keep its type', () => {
    const overrides = context({ parameters: { user: 'a/b', password: "p@ss'w:ord" } })
    expect(recipeOutputs(source, overrides)).toEqual({
      url: 'postgres://a%2Fb:p%40ss%27w%3Aord@10.0.0.2:5432/x',
      user: 'a/b',
      port: 5432,
    })
    const six = { ...overrides, machine: { ...overrides.machine, address: 'fd00::5' } }
    expect(recipeOutputs(source, six).url).toBe('postgres://a%2Fb:p%40ss%27w%3Aord@[fd00::5]:5432/x')
  })

  test('an output without its value says which', () => {
    expect(() => recipeOutputs(source, context({ parameters: { user: 'a' } }))).toThrow(
      'recipe demo: outputs.url: parameters.password is not given and cannot be part of a text',
    )
  })

  test('defaults are filled in, secrets are asked for, the rest is left out', () => {
    expect(completeParameters(source.signature, {})).toEqual({ parameters: { user: 'app' }, generated: ['password'] })
    expect(completeParameters(source.signature, { password: 'x', size: 3 })).toEqual({
      parameters: { user: 'app', password: 'x', size: 3 },
      generated: [],
    })
  })

  test('the signature says what the planner needs', () => {
    const { digest, ...rest } = source.signature
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(rest).toMatchObject({
      name: 'demo',
      kind: 'service',
      stateful: false,
      outputs: ['port', 'url', 'user'],
      phases: [],
      defaultPort: 5432,
    })
  })
})
