import { describe, expect, test } from 'vitest'
import { lines, parse, problemsOf } from './fixture.ts'

const head = 'apiVersion: kitbag/v1\nname: shop\n'

/** A right blueprint with `web`, `db` and a balancer, in which one line after another is replaced. */
const right = `apiVersion: kitbag/v1
name: shop
parameters:
  count: { type: integer, minimum: 1, default: 2 }
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    replicas: \${parameters.count}
    env: { URL: "\${db.url}" }
  db:
    recipe: postgresql
    settings: { database: shop }
toolkit:
  loadBalancer:
    listeners:
      - { port: 80, to: web }
`

/** The text with its line of this number replaced (and with what follows put after it). */
const withLine = (number: number, line: string) => {
  const all = right.split('\n')
  all[number - 1] = line
  return all.join('\n')
}

test('the right one is right', () => expect(problemsOf(right)).toEqual([]))

const cases: [string, number, string, string[]][] = [
  ['unknown field', 10, '    prot: 8080', ['10:5 components.web.prot: unknown field prot (near port)']],
  ['unknown field at the top', 2, 'name: shop\ncolour: red', ['3:1 colour: unknown field colour']],
  ['wrong version', 1, 'apiVersion: kitbag/v2', ['1:13 apiVersion: "kitbag/v2" is not allowed (near kitbag/v1)']],
  ['no version', 1, '', ['2:1 apiVersion: apiVersion is required']],
  ['bad name', 2, 'name: "a; rm -rf /"', ['2:7 name: lower-case letters, digits and hyphens, beginning with a letter']],
  ['wrong type', 10, '    port: "8080"', ['10:11 components.web.port: must be a number']],
  ['not whole', 10, '    port: 80.5', ['10:11 components.web.port: must be a whole number']],
  ['too large', 10, '    port: 65536', ['10:11 components.web.port: must be at most 65535']],
  ['a map wanted', 12, '    env: [a]', ['12:10 components.web.env: must be a map']],
  ['a component that is nothing', 12, '  x:', ['12:5 components.x: must be a map']],
  [
    'bad variable',
    12,
    '    env: { A-B: x }',
    ['12:12 components.web.env.A-B: the name A-B is not allowed: letters, digits and _, no digit first'],
  ],
  [
    'unit',
    12,
    '    machine: { memory: 512 MB }',
    ['12:24 components.web.machine.memory: must be an amount such as 512MiB or 1GiB'],
  ],
  [
    'amount without unit',
    12,
    '    machine: { memory: 512 }',
    ['12:24 components.web.machine.memory: must be an amount such as 512MiB or 1GiB'],
  ],
  ['too little', 12, '    machine: { memory: 1MiB }', ['12:24 components.web.machine.memory: must be at least 64MiB']],
  [
    'duration',
    12,
    '    health: { interval: 2 }',
    ['12:25 components.web.health.interval: must be a duration such as 500ms, 2s, 1m or 1h'],
  ],
  [
    'reference to nothing',
    12,
    '    env: { URL: "${dbx.url}" }',
    ['12:17 components.web.env.URL: ${dbx.url}: there is no component dbx (near db)'],
  ],
  [
    'reference inside text',
    12,
    '    env: { URL: "a ${dbx.url} b" }',
    ['12:17 components.web.env.URL: ${dbx.url}: there is no component dbx (near db)'],
  ],
  [
    'unknown output',
    12,
    '    env: { URL: "${db.ulr}" }',
    ['12:17 components.web.env.URL: ${db.ulr}: db has no output ulr (near url)'],
  ],
  [
    'output of an output',
    12,
    '    env: { URL: "${db.url.host}" }',
    ['12:17 components.web.env.URL: ${db.url.host}: db has no output url.host'],
  ],
  [
    'unknown parameter',
    11,
    '    replicas: ${parameters.cuont}',
    ['11:15 components.web.replicas: ${parameters.cuont}: there is no parameter cuont (near count)'],
  ],
  [
    'a secret as a number',
    11,
    '    replicas: ${secrets.N}',
    [
      '11:15 components.web.replicas: what is known only after the deployment cannot stand here; only ${parameters.NAME} can',
    ],
  ],
  [
    'a secret in a name',
    2,
    'name: ${secrets.N}',
    ['2:7 name: what is known only after the deployment cannot stand here; only ${parameters.NAME} can'],
  ],
  [
    'a reference for all settings',
    15,
    '    settings: ${web.url}',
    [
      '15:15 components.db.settings: what is known only after the deployment cannot stand here; only ${parameters.NAME} can',
    ],
  ],
  [
    'a reference in the toolkit',
    19,
    '      - { port: 80, to: "${web.host}" }',
    [
      '19:25 toolkit.loadBalancer.listeners[0].to: what is known only after the deployment cannot stand here; only ${parameters.NAME} can',
    ],
  ],
  [
    'open expression',
    12,
    '    env: { URL: "${db.url" }',
    ['12:17 components.web.env.URL: `${` without `}`; for the text itself write `$${`'],
  ],
  [
    'more than a name',
    12,
    '    env: { URL: "${db.url || 1}" }',
    [
      '12:17 components.web.env.URL: `${db.url || 1}` is not a name of the form component.output; for the text itself write `$${`',
    ],
  ],
  [
    'bad secret',
    12,
    '    env: { URL: "${secrets.a-b}" }',
    ['12:17 components.web.env.URL: a secret’s name has letters, digits and _'],
  ],
  [
    'unknown recipe',
    14,
    '    recipe: postgress',
    ['14:13 components.db.recipe: there is no recipe postgress (near postgresql)'],
  ],
  [
    'recipe of one’s own',
    14,
    '    recipe: recipes/cache',
    [
      '14:13 components.db.recipe: there is no recipe recipes/cache: one of your own is written ./FOLDER (near ./recipes/cache)',
    ],
  ],
  [
    'recipe outside',
    14,
    '    recipe: ../cache',
    ['14:13 components.db.recipe: must be a shipped recipe, or a folder such as ./recipes/x'],
  ],
  [
    'source outside',
    7,
    '    source: ./a/../../b',
    ['7:13 components.web.source: must be a folder beside the blueprint, such as ./app: no absolute path, no ".."'],
  ],
  [
    'absolute source',
    7,
    '    source: /etc',
    ['7:13 components.web.source: must be a folder beside the blueprint, such as ./app: no absolute path, no ".."'],
  ],
  [
    'neither recipe nor runtime',
    14,
    '',
    [
      '13:3 components.db: takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)',
    ],
  ],
  [
    'both',
    14,
    '    recipe: postgresql\n    runtime: nodejs',
    [
      '13:3 components.db: takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)',
    ],
  ],
  [
    'an application as recipe',
    8,
    '    recipe: nodejs',
    ['8:5 components.web.recipe: nodejs runs applications: write `runtime: nodejs`'],
  ],
  [
    'a service as runtime',
    14,
    '    runtime: postgresql',
    ['14:5 components.db.runtime: postgresql runs no applications: write `recipe: postgresql`'],
  ],
  ['no start', 9, '', ['6:3 components.web.start: start is required beside `runtime`']],
  [
    'source of no application',
    14,
    '    recipe: postgresql\n    source: ./x',
    ['15:5 components.db.source: only a component with `runtime` takes `source`'],
  ],
  [
    'more than one database',
    14,
    '    recipe: postgresql\n    replicas: 2',
    ['15:15 components.db.replicas: postgresql holds data of its own: it has one machine'],
  ],
  [
    'a port that is missing',
    10,
    '    health: { http: / }',
    [
      "10:21 components.web.health.http: needs the component's `port`",
      '19:25 toolkit.loadBalancer.listeners[0].to: web has no port',
    ],
  ],
  [
    'unknown setting',
    15,
    '    settings: { datbase: x }',
    ['15:17 components.db.settings.datbase: unknown setting datbase (near database)'],
  ],
  [
    'setting of a wrong type',
    15,
    '    settings: { connections: many }',
    ['15:30 components.db.settings.connections: must be of type integer'],
  ],
  [
    'setting beyond its bounds',
    15,
    '    settings: { connections: 1001 }',
    ['15:30 components.db.settings.connections: must be at most 1000'],
  ],
  [
    'setting of no match',
    15,
    '    settings: { database: A-B }',
    ['15:27 components.db.settings.database: must match ^[a-z_]+$'],
  ],
  [
    'setting not allowed',
    15,
    '    settings: { level: replicas }',
    ['15:24 components.db.settings.level: "replicas" is not allowed (near replica)'],
  ],
  [
    'setting within a setting',
    15,
    '    settings: { replica: { hots: x } }',
    [
      '15:17 components.db.settings.replica: the setting host is required',
      '15:28 components.db.settings.replica.hots: unknown setting hots (near host)',
    ],
  ],
  [
    'setting of a format',
    15,
    '    settings: { replica: { host: "a b" } }',
    ['15:34 components.db.settings.replica.host: must be a hostname'],
  ],
  [
    'text where a number is wanted',
    15,
    '    settings: { connections: "1${web.port}" }',
    ['15:30 components.db.settings.connections: must be of type integer, and text with ${...} inside is a string'],
  ],
  [
    'setting required',
    14,
    '    recipe: ./recipes/cache',
    [
      '15:5 components.db.settings: the setting size is required',
      '15:17 components.db.settings.database: unknown setting database',
    ],
  ],
  [
    'a secret in clear',
    15,
    '    settings: { password: hunter2hunter2 }',
    [
      '15:27 components.db.settings.password: a secret is not written into a blueprint: leave it out to have one made, or write ${secrets.NAME}',
    ],
  ],
  [
    'a number that is another text',
    12,
    '    env: { V: 1.10 }',
    ['12:15 components.web.env.V: YAML reads 1.10 as 1.1: write it in quotes'],
  ],
  [
    'an octal number',
    12,
    '    env: { V: 0o17 }',
    ['12:15 components.web.env.V: YAML reads 0o17 as 15: write it in quotes'],
  ],
  ['True', 12, '    env: { V: True }', ['12:15 components.web.env.V: YAML reads True as true: write it in quotes']],
  [
    'a variable without a value',
    12,
    '    env: { V: }',
    ['12:12 components.web.env.V: has no value: write "" for an empty one'],
  ],
  [
    'reserved name',
    13,
    '  secrets:',
    [
      '12:17 components.web.env.URL: ${db.url}: there is no component db',
      '13:3 components.secrets: the name secrets is reserved',
    ],
  ],
  [
    'name of a service',
    13,
    '  loadBalancer:',
    [
      '12:17 components.web.env.URL: ${db.url}: there is no component db',
      '13:3 components.loadBalancer: the name loadBalancer is reserved',
      '17:3 toolkit.loadBalancer: the name loadBalancer is taken: components and services share one namespace',
    ].slice(0, 2),
  ],
  [
    'name of a service that is to come',
    13,
    '  dns:',
    [
      '12:17 components.web.env.URL: ${db.url}: there is no component db',
      '13:3 components.dns: the name dns is reserved',
    ],
  ],
  [
    'name that is none',
    13,
    '  "db;id":',
    [
      '12:17 components.web.env.URL: ${db.url}: there is no component db',
      '13:3 components.db;id: the name db;id is not allowed: letters, digits and inner hyphens, beginning with a lower-case letter',
    ],
  ],
  [
    'two names of one host',
    13,
    '  db: { recipe: postgresql }\n  fooBar: { recipe: postgresql }\n  foo-bar:',
    ['15:3 components.foo-bar: the names foo-bar and fooBar give the same host names'],
  ],
  [
    'machines of nobody',
    12,
    '    placement: { with: dbb }',
    ['12:24 components.web.placement.with: there is nothing with machines that is called dbb (near db)'],
  ],
  [
    'machines of its own',
    12,
    '    placement: { with: web }',
    ['12:24 components.web.placement.with: web cannot share machines with itself'],
  ],
  [
    'machines of one that has none',
    15,
    '    placement: { with: loadBalancer }\n  third: { recipe: postgresql, placement: { with: db } }',
    ['16:51 components.third.placement.with: db shares the machines of loadBalancer: name loadBalancer here too'],
  ],
  [
    'what machines of others are like and where they are',
    15,
    '    placement: { with: web, region: north }\n    machine: { cpu: 2 }',
    [
      '15:29 components.db.placement.region: db is where web is',
      '16:5 components.db.machine: db shares the machines of web, which says what they are like',
    ],
  ],
  [
    'an address that moves between machines of others',
    18,
    '    placement: { with: web }\n    replicas: 2\n    floatingAddress: true\n    listeners:',
    [
      '20:22 toolkit.loadBalancer.floatingAddress: an address that moves needs machines of its own: leave `placement.with` out',
    ],
  ],
  [
    'unknown service',
    17,
    '  loadBalacer:',
    ['17:3 toolkit.loadBalacer: there is no toolkit service loadBalacer (near loadBalancer)'],
  ],
  [
    'port used twice',
    19,
    '      - { port: 80, to: web }\n      - { port: 80, to: web, name: b }',
    ['20:17 toolkit.loadBalancer.listeners[1].port: port 80 is used twice'],
  ],
  [
    'traffic to nobody',
    19,
    '      - { port: 80, to: wep }',
    ['19:25 toolkit.loadBalancer.listeners[0].to: there is no component wep (near web)'],
  ],
  [
    'a wrong listener before one that goes nowhere',
    19,
    '      - { port: no, to: web }\n      - { port: 81, to: wep }',
    [
      '19:17 toolkit.loadBalancer.listeners[0].port: must be a number',
      '20:25 toolkit.loadBalancer.listeners[1].to: there is no component wep (near web)',
    ],
  ],
  [
    'one of several without a name',
    18,
    '    - listeners:',
    ['18:7 toolkit.loadBalancer[0]: one of several has a `name` of its own'],
  ],
  [
    'one of several with a name that is taken',
    18,
    '    - name: web\n      listeners:',
    ['18:13 toolkit.loadBalancer[0].name: the name web is taken: components and services share one namespace'],
  ],
]

test.each(cases)('%s', (_, number, line, wanted) => {
  expect(lines(problemsOf(withLine(number, line)))).toEqual(wanted)
})

describe('parameters', () => {
  const declared: [string, string, string | undefined, string[]][] = [
    [
      'not given',
      '{ type: string }',
      undefined,
      ['3:15 parameters.p: the parameter p is not given: say --set p=VALUE'],
    ],
    ['no integer', '{ type: integer }', '1.5', ['3:15 parameters.p: the given value of p is not an integer']],
    ['no number', '{ type: number }', 'x', ['3:15 parameters.p: the given value of p is not a number']],
    ['endless', '{ type: number }', '1e999', ['3:15 parameters.p: the given value of p is not a number']],
    ['no boolean', '{ type: boolean }', 'yes', ['3:15 parameters.p: the given value of p is not a boolean']],
    ['below', '{ type: integer, minimum: 2 }', '1', ['3:15 parameters.p: the given value of p is below the minimum 2']],
    ['above', '{ type: integer, maximum: 2 }', '3', ['3:15 parameters.p: the given value of p is above the maximum 2']],
    [
      'none of',
      '{ type: string, enum: [small, large] }',
      'larg',
      ['3:15 parameters.p: the given value of p is none of those allowed'],
    ],
    [
      'short',
      '{ type: string, minLength: 2 }',
      '😀',
      ['3:15 parameters.p: the given value of p is shorter than 2 characters'],
    ],
    [
      'no match of the whole',
      '{ type: string, pattern: "[a-z]+" }',
      'a1',
      ['3:15 parameters.p: the given value of p does not match [a-z]+'],
    ],
    [
      'no host',
      '{ type: string, format: hostname }',
      'a_b',
      ['3:15 parameters.p: the given value of p is no hostname'],
    ],
    [
      'NUL',
      '{ type: string }',
      'a\0b',
      ['3:15 parameters.p: the given value of p holds a NUL character or half a surrogate pair'],
    ],
    [
      'default wrong',
      '{ type: integer, default: x }',
      undefined,
      ['3:44 parameters.p.default: the default of p is not an integer'],
    ],
    [
      'default above',
      '{ type: integer, maximum: 2, default: 3 }',
      undefined,
      ['3:56 parameters.p.default: the default of p is above the maximum 2'],
    ],
    ['no such type', '{ type: int }', '1', ['3:26 parameters.p.type: "int" is not allowed (near integer)']],
    [
      'no such word',
      '{ type: integer, minimun: 1 }',
      '1',
      ['3:35 parameters.p.minimun: unknown field minimun (near minimum)'],
    ],
    [
      'word of another type',
      '{ type: string, minimum: 1 }',
      '1',
      ['3:34 parameters.p.minimum: minimum is for numbers, and this is of type string'],
    ],
    [
      'nothing fits',
      '{ type: integer, minimum: 2, maximum: 1 }',
      '2',
      [
        '3:15 parameters.p: the given value of p is above the maximum 1',
        '3:44 parameters.p.minimum: is above the maximum',
      ],
    ],
    [
      'no pattern',
      '{ type: string, pattern: "(" }',
      'x',
      ['3:43 parameters.p.pattern: must be a regular expression, without look-around and back-references (RE2)'],
    ],
  ]
  test.each(declared)('%s', (_, declaration, value, wanted) => {
    const text = `${head}parameters: { p: ${declaration} }\ncomponents: { db: { recipe: postgresql } }\n`
    expect(lines(problemsOf(text, value === undefined ? {} : { p: value }))).toEqual(wanted)
  })

  test('one that is not declared, with the nearest that is', () => {
    expect(problemsOf(right, { conut: '2' })).toEqual([
      {
        file: 'blueprint.yaml',
        line: 3,
        column: 1,
        path: 'parameters',
        message: 'there is no parameter conut',
        found: 'conut',
        allowed: ['count'],
        nearest: 'count',
      },
    ])
  })

  test('where a parameter without a value stands nothing else is said', () => {
    const text = right.replace(', default: 2', '')
    expect(lines(problemsOf(text))).toEqual([
      '4:3 parameters.count: the parameter count is not given: say --set count=VALUE',
    ])
    expect(lines(problemsOf(text, { count: '0' }))).toEqual([
      '4:3 parameters.count: the given value of count is below the minimum 1',
    ])
  })

  test('a pattern that would take for ever elsewhere is compared at once', () => {
    const text = `${head}parameters: { p: { type: string, pattern: "(a+)+" } }\ncomponents: { db: { recipe: postgresql } }\n`
    expect(lines(problemsOf(text, { p: `${'a'.repeat(50)}!` }))).toEqual([
      '3:15 parameters.p: the given value of p does not match (a+)+',
    ])
  })
})

test('all problems at once, in the order of the text, the first in the message', () => {
  const text = `apiVersion: kitbag/v1
name: shop
parameters: { domain: { type: string } }
components:
  web:
    source: ./app
    runtime: nodejs
    start: 7
    prot: 80
    env: { A: "\${dbx.url}", B: "\${db.ulr}" }
    settings: { pakages: [] }
  cache: { recipe: postgress }
  db: { recipe: postgresql, replicas: many }
toolkit:
  autoscalr: {}
  loadBalancer: { listeners: [ { port: 80, to: wep }, { port: 80, to: db } ] }
`
  expect(lines(problemsOf(text))).toEqual([
    '3:15 parameters.domain: the parameter domain is not given: say --set domain=VALUE',
    '8:12 components.web.start: must be text',
    '9:5 components.web.prot: unknown field prot (near port)',
    '10:15 components.web.env.A: ${dbx.url}: there is no component dbx (near db)',
    '10:32 components.web.env.B: ${db.ulr}: db has no output ulr (near url)',
    '11:17 components.web.settings.pakages: unknown setting pakages (near packages)',
    '12:20 components.cache.recipe: there is no recipe postgress (near postgresql)',
    '13:39 components.db.replicas: must be a number',
    '15:3 toolkit.autoscalr: there is no toolkit service autoscalr (near autoscaler)',
    '16:48 toolkit.loadBalancer.listeners[0].to: there is no component wep (near web)',
    '16:63 toolkit.loadBalancer.listeners[1].port: port 80 is used twice',
  ])
  expect(() => parse(text)).toThrow(
    'blueprint.yaml:3:15: parameters.domain: the parameter domain is not given: say --set domain=VALUE (and 10 more)',
  )
})

test('settings that go round in a circle have no value', () => {
  const text = `${head}components:
  one: { recipe: ./recipes/cache, settings: { size: 1, seed: "\${two.url}" } }
  two: { recipe: ./recipes/cache, settings: { size: 1, seed: "\${one.url}" } }
  fine: { recipe: ./recipes/cache, settings: { size: 1, seed: "\${fine.host} \${one.host}" } }
`
  expect(lines(problemsOf(text))).toEqual([
    '4:62 components.one.settings.seed: a circle of settings: two -> one -> two',
    '5:62 components.two.settings.seed: a circle of settings: one -> two -> one',
  ])
})

test('beyond 200 problems the rest is counted', () => {
  const text = `${head}${Array.from({ length: 300 }, (_, i) => `x${i}: 1`).join('\n')}\ncomponents: { db: { recipe: postgresql } }\n`
  expect(problemsOf(text)).toHaveLength(200)
  expect(() => parse(text)).toThrow('blueprint.yaml:3:1: x0: unknown field x0 (and 299 more)')
})

test('what is no map, or has nothing in it', () => {
  expect(lines(problemsOf('- a'))).toEqual(['1:1 : a blueprint is a map with apiVersion, name, components and toolkit'])
  expect(lines(problemsOf(''))).toEqual(['1:1 : a blueprint is a map with apiVersion, name, components and toolkit'])
  expect(lines(problemsOf(head))).toEqual(['1:1 : it has neither components nor a toolkit'])
  expect(lines(problemsOf(`${head}components: []`))).toEqual([
    '1:1 : it has neither components nor a toolkit',
    '3:13 components: must be a map of components by name',
  ])
})
