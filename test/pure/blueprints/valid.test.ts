import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from './fixture.ts'

const head = 'apiVersion: kitbag/v1\nname: shop\n'
const web = 'source: ./app\n    runtime: nodejs\n    start: node server.js'

/** A blueprint of one application with these further lines. */
const application = (...more: string[]) => `${head}components:\n  web:\n    ${[web, ...more].join('\n    ')}\n`

describe('the example of the repository', () => {
  const blueprint = parse(
    readFileSync(new URL('../../../examples/guestbook/blueprint.yaml', import.meta.url), 'utf8'),
    {
      replicas: '3',
    },
  )

  test('its parameters are put in with their types', () => {
    expect(blueprint.parameters).toEqual({ replicas: 3, title: 'Guestbook' })
    expect(blueprint.components.map(({ name, recipe, replicas }) => [name, recipe, replicas])).toEqual([
      ['web', 'nodejs', 3],
      ['db', 'postgresql', 1],
    ])
  })

  test('what exists only later is a reference', () => {
    expect(blueprint.components[0]?.env).toEqual({ DATABASE_URL: { $ref: 'db.url' }, TITLE: 'Guestbook' })
  })

  test('human units are numbers, defaults are explicit', () => {
    const [web, db] = blueprint.components
    expect(web?.machine).toEqual({ cpu: 1, memory: 512 * 2 ** 20, image: 'debian-13' })
    expect(web?.health).toEqual({ http: '/healthz', interval: 500, timeout: 2000, grace: 60_000 })
    expect(web?.update).toEqual({ maxUnavailable: 1, drain: 10_000 })
    expect([db?.port, db?.health?.http]).toEqual([5432, undefined])
  })

  test('its service is checked by the service', () => {
    expect(blueprint.services).toMatchObject([
      { name: 'loadBalancer', kind: 'loadBalancer', spec: { listeners: [{ port: 80, protocol: 'http', to: 'web' }] } },
    ])
  })
})

describe('expressions', () => {
  const values: [string, unknown][] = [
    ['${db.url}', { $ref: 'db.url' }],
    ['${ db.url }', { $ref: 'db.url' }],
    [
      'postgres://${db.host}:${db.port}/x',
      { $concat: ['postgres://', { $ref: 'db.host' }, ':', { $ref: 'db.port' }, '/x'] },
    ],
    ['${secrets.KEY}', { $ref: 'secrets.KEY' }],
    ['$${db.url}', '${db.url}'],
    ['$$${parameters.word}', '$${parameters.word}'],
    ['a $ b $$ {c}', 'a $ b $$ {c}'],
    ['${parameters.word}', '${db.url}'],
    ['<${parameters.word}>', '<${db.url}>'],
    ['${parameters.count}', 3],
    ['n=${parameters.count}', 'n=3'],
    ['${parameters.count}/${parameters.count}', '3/3'],
    ['${parameters.flag}', true],
    ['${parameters.count}-${web.host}', { $concat: ['3-', { $ref: 'web.host' }] }],
  ]
  test.each(values)('%s', (text, wanted) => {
    const blueprint = parse(
      `${head}parameters:
  word: { type: string, default: "\${db.url}" }
  count: { type: integer, default: 3 }
  flag: { type: boolean, default: true }
components:
  web:
    ${web}
    env: { X: ${JSON.stringify(text)} }
  db: { recipe: postgresql }
`,
    )
    expect(blueprint.components[0]?.env.X).toEqual(wanted)
  })

  test('the names of given secrets are collected, sorted', () => {
    const env = 'env: { A: "${secrets.Z}", B: "x ${secrets.A} ${secrets.Z}" }'
    expect(parse(application(env)).secrets).toEqual(['A', 'Z'])
  })
})

describe('values arrive as they are written', () => {
  const texts = [
    '$(touch /tmp/x)',
    '`id`',
    `'"\\`,
    'a\nb',
    '*',
    '{{x}}',
    '\u001b[31m',
    '😀',
    'x'.repeat(65_536),
    '[['.repeat(500),
    '',
  ]
  test.each(texts)('%.20j', (text) => {
    const [component] = parse(application(`env: { X: ${JSON.stringify(text)} }`)).components
    expect(component?.env.X).toBe(text)
  })

  test('lists, maps and numbers of settings keep their types', () => {
    const text = `${head}components:
  db:
    recipe: postgresql
    settings: { connections: 5, configuration: { a: 1.5, b: [true, null, "1"], c: { constructors: 1 } } }
`
    expect(parse(text).components[0]?.settings).toEqual({
      connections: 5,
      configuration: { a: 1.5, b: [true, null, '1'], c: { constructors: 1 } },
    })
  })

  test('an alias stands for what it repeats', () => {
    const text = `${head}components:
  one: { recipe: postgresql, settings: &s { database: x } }
  two: { recipe: postgresql, settings: *s }
`
    expect(parse(text).components.map(({ settings }) => settings)).toEqual([{ database: 'x' }, { database: 'x' }])
  })
})

describe('parameters', () => {
  const given: [string, string, unknown][] = [
    ['{ type: integer }', '3', 3],
    ['{ type: integer }', '-3', -3],
    ['{ type: number }', '1.5', 1.5],
    ['{ type: number }', '1e3', 1000],
    ['{ type: boolean }', 'true', true],
    ['{ type: boolean }', 'false', false],
    ['{ type: string }', '3', '3'],
    ['{ type: string, format: hostname }', 'shop.example', 'shop.example'],
    ['{ type: string, format: ipv6 }', '::1', '::1'],
    ['{ type: string, pattern: "[a-z]+" }', 'abc', 'abc'],
    ['{ type: string, enum: [a, b] }', 'b', 'b'],
    ['{ type: string, default: x }', 'given', 'given'],
  ]
  test.each(given)('%s given as %s', (declaration, text, wanted) => {
    const blueprint = parse(`${application()}parameters: { p: ${declaration} }\n`, { p: text })
    expect(blueprint.parameters.p).toBe(wanted)
  })

  test('may stand wherever a value does', () => {
    const text = `apiVersion: kitbag/v1
name: \${parameters.name}
parameters:
  name: { type: string, default: shop }
  size: { type: string, default: 2GiB }
  port: { type: integer, default: 8080 }
  cloud: { type: string, default: home }
components:
  web:
    ${web}
    port: \${parameters.port}
    machine: { memory: "\${parameters.size}" }
toolkit:
  loadBalancer: { listeners: [ { port: "\${parameters.port}", to: web } ] }
placement: { cloud: "\${parameters.cloud}" }
`
    expect(parse(text)).toMatchObject({
      name: 'shop',
      placement: { cloud: 'home' },
      components: [{ port: 8080, machine: { memory: 2 ** 31 }, placement: { cloud: 'home' } }],
      services: [{ spec: { listeners: [{ port: 8080 }] } }],
    })
  })
})

describe('the toolkit', () => {
  test('a service may be a list of named ones, which others may refer to', () => {
    const text = `${application('port: 80', 'env: { URL: "${inner.url}" }')}toolkit:
  loadBalancer:
    - { name: outer, listeners: [ { port: 80, to: web } ] }
    - { name: inner, listeners: [ { port: 80, to: web } ] }
`
    expect(parse(text).services.map(({ name, kind }) => [name, kind])).toEqual([
      ['outer', 'loadBalancer'],
      ['inner', 'loadBalancer'],
    ])
  })

  test('a blueprint may have nothing else, in front of machines of others', () => {
    const text = `${head}toolkit:
  loadBalancer:
    listeners: [ { port: 80, to: { addresses: [192.0.2.1, "2001:db8::1"], port: 8080 } } ]
`
    expect(parse(text)).toMatchObject({ components: [], services: [{ name: 'loadBalancer' }] })
  })
})

test("a component's placement is laid over the blueprint's", () => {
  const text = `${application('placement: { region: south }')}placement: { cloud: home, region: north }\n`
  expect(parse(text).components[0]?.placement).toEqual({ cloud: 'home', region: 'south' })
  // The regions of one cloud are not those of another.
  const elsewhere = text.replace('region: south', 'cloud: other')
  expect(parse(elsewhere).components[0]?.placement).toEqual({ cloud: 'other' })
})

test('who shares machines is where these are, whatever holds for the others', () => {
  const text = `${application('')}  extra: { recipe: postgresql, placement: { with: web } }\nplacement: { cloud: home }\n`
  expect(parse(text).components.map(({ placement }) => placement)).toEqual([{ cloud: 'home' }, { with: 'web' }])
})

test("labels of a placement are kept, and a component's stand in the place of the blueprint's", () => {
  const text = `${application('placement: { labels: { disk: nvme } }')}placement: { cloud: home, labels: { owner: web } }\n`
  expect(parse(text).components[0]?.placement).toEqual({ cloud: 'home', labels: { disk: 'nvme' } })
})
