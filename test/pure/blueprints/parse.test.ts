import { describe, expect, test } from 'vitest'
import { parseBlueprint } from '../../../src/blueprints/parse.ts'
import { KitbagError, type Problem } from '../../../src/model/errors.ts'
import type { Json } from '../../../src/model/json.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { catalogOf, guestbookText } from '../../support/guestbook.ts'

const catalog = catalogOf(await shippedRecipes())
const parse = (text: string, parameters: Record<string, Json> = {}) =>
  parseBlueprint(text, { file: 'b.yaml', catalog, toolkit, parameters })

function problemsOf(text: string, parameters: Record<string, Json> = {}): Problem[] {
  try {
    parse(text, parameters)
  } catch (error) {
    if (error instanceof KitbagError) return error.problems
    throw error
  }
  throw new Error('it was accepted')
}

test('the guestbook resolves: parameters with their type, references kept, defaults made explicit', () => {
  const { components, services, secrets } = parse(guestbookText, { replicas: '3' })
  const web = components.find(({ name }) => name === 'web')
  expect(web).toMatchObject({
    recipe: 'nodejs',
    replicas: 3,
    port: 8080,
    machine: { cpu: 1, memory: 2 ** 29, image: 'debian-13' },
  })
  expect(web?.env).toEqual({ DATABASE_URL: { $ref: 'db.url' }, TITLE: 'Guestbook' })
  expect(web?.health).toMatchObject({ http: '/healthz', interval: 500 })
  expect(services.map(({ name, kind }) => [name, kind])).toEqual([['loadBalancer', 'loadBalancer']])
  expect(secrets).toEqual([])
})

test('text around a reference becomes a concatenation, $${ stands for itself, a secret is noted', () => {
  const text = guestbookText.replace(
    'TITLE: ${parameters.title}',
    () => 'TITLE: "${parameters.title} at ${db.host} $${x}"\n      KEY: ${secrets.MAIL_KEY}',
  )
  const { components, secrets } = parse(text)
  expect(components[0]?.env.TITLE).toEqual({ $concat: ['Guestbook at ', { $ref: 'db.host' }, ' ${x}'] })
  expect(secrets).toEqual(['MAIL_KEY'])
})

describe('one thing wrong', () => {
  const table: [string, (text: string) => string, Partial<Problem>][] = [
    [
      'unknown field',
      (t) => t.replace('replicas: ${', 'replicaz: ${'),
      { path: 'components.web.replicaz', nearest: 'replicas', line: 16 },
    ],
    ['wrong type', (t) => t.replace('port: 8080', 'port: eighty'), { path: 'components.web.port', found: '"eighty"' }],
    [
      'missing link target',
      (t) => t.replace('${db.url}', '${dbx.url}'),
      { path: 'components.web.env.DATABASE_URL', nearest: 'db' },
    ],
    [
      'unknown output',
      (t) => t.replace('${db.url}', '${db.urll}'),
      { path: 'components.web.env.DATABASE_URL', nearest: 'url' },
    ],
    [
      'unknown parameter',
      (t) => t.replace('${parameters.title}', '${parameters.titel}'),
      { path: 'components.web.env.TITLE', nearest: 'title' },
    ],
    [
      'port used twice',
      (t) =>
        t.replace(
          '{ port: 80, protocol: http, to: web }',
          '{ port: 80, to: web }\n      - { name: b, port: 80, to: web }',
        ),
      { path: 'toolkit.loadBalancer.listeners[1].port' },
    ],
    [
      'listener to nobody',
      (t) => t.replace('to: web', 'to: webb'),
      { path: 'toolkit.loadBalancer.listeners[0].to', nearest: 'web' },
    ],
    [
      'recipe that does not exist',
      (t) => t.replace('recipe: postgresql', 'recipe: postgres'),
      { path: 'components.db.recipe', nearest: 'postgresql' },
    ],
    ['parameter not given', (t) => t.replace(', default: 2', ''), { path: 'parameters.replicas' }],
    ['default out of range', (t) => t.replace('default: 2', 'default: 50'), { path: 'parameters.replicas.default' }],
    [
      'unknown setting',
      (t) => t.replace('{ database: guestbook }', '{ databse: guestbook }'),
      { path: 'components.db.settings.databse', nearest: 'database' },
    ],
    [
      'two machines that hold data',
      (t) => t.replace('recipe: postgresql', 'recipe: postgresql\n    replicas: 2'),
      { path: 'components.db.replicas' },
    ],
    [
      'an unknown service',
      (t) => t.replace('  loadBalancer:', '  loadBalancr:'),
      { path: 'toolkit.loadBalancr', nearest: 'loadBalancer' },
    ],
    [
      'a machine to share',
      (t) => t.replace('    recipe: postgresql', '    recipe: postgresql\n    placement: { with: web }'),
      { path: 'components.db.machine' },
    ],
    [
      'what is known later where it cannot stand',
      (t) => t.replace('port: 8080', 'port: ${db.port}'),
      { path: 'components.web.port' },
    ],
    ['a reserved name', (t) => t.replace(/^ {2}db:/m, '  secrets:'), { path: 'components.secrets' }],
    ['NUL', (t) => t.replace('Guestbook', '"\\0"'), { path: 'parameters.title.default' }],
  ]
  test.each(table)('%s', (_, change, wanted) => {
    const changed = change(guestbookText)
    expect(changed).not.toBe(guestbookText)
    expect(problemsOf(changed)).toContainEqual(expect.objectContaining(wanted))
  })
})

test('all problems are reported in one answer, each with its place', () => {
  const text = guestbookText
    .replace('${db.url}', '${dbx.url}')
    .replace('port: 8080', 'port: no')
    .replace('recipe: postgresql', 'recipe: nothing')
  const problems = problemsOf(text, { unknown: 1, replicas: 99 })
  expect(problems.length).toBeGreaterThanOrEqual(4)
  for (const { file, line, column } of problems)
    expect([file, typeof line, typeof column]).toEqual(['b.yaml', 'number', 'number'])
})

describe('what is no blueprint', () => {
  const table: [string, string][] = [
    ['flow levels', '['.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['duplicate keys', 'a: 1\na: 2'],
    ['__proto__', '__proto__: { a: 1 }'],
    [
      'aliases',
      `a: &a [1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]`,
    ],
    ['NUL', 'name: "a\0b"'],
    ['half a surrogate', 'name: "\ud800"'],
    ['a list', '- 1'],
    ['nothing', ''],
  ]
  test.each(table)('%s is refused with its place', (_, text) => {
    expect(problemsOf(text)[0]).toMatchObject({ file: 'b.yaml' })
  })
})

test('more than 1 MiB is too large', () => {
  expect(() => parse(`# ${'x'.repeat(2 << 20)}`)).toThrow(expect.objectContaining({ code: 'too-large' }))
})
