import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { blueprintJsonSchema } from '../../../src/blueprints/json-schema.ts'
import { blueprintReference } from '../../../src/blueprints/reference.ts'
import { exampleText } from '../../../src/blueprints/reference-text.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { parse, problemsOf } from './fixture.ts'

const schema = blueprintJsonSchema(toolkit)
const committed = (path: string) => readFileSync(join(packageRoot(), path), 'utf8')
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
const fits = (text: string) => validator.safeParse(parseYaml(text)).success

describe('what is committed is current (`npm run schema` writes it)', () => {
  test('schema/blueprint.schema.json', () => {
    expect(committed('schema/blueprint.schema.json')).toBe(`${JSON.stringify(schema, null, 2)}\n`)
  })

  test('docs/blueprint.md', () => {
    expect(committed('docs/blueprint.md')).toBe(blueprintReference(schema))
  })
})

test('the example of the reference is right', () => {
  expect(parse(exampleText, { domain: 'shop.example' })).toMatchObject({ name: 'shop', secrets: ['MAIL_KEY'] })
  expect(fits(exampleText)).toBe(true)
})

test('the schema takes the example of the repository', () => {
  expect(fits(committed('examples/guestbook/blueprint.yaml'))).toBe(true)
})

const head = 'apiVersion: kitbag/v1\nname: shop\n'
const web = 'components: { web: { source: ./app, runtime: nodejs, start: x'
const cases: [string, string, boolean][] = [
  ['an unknown field', `${head}colour: red\ncomponents: { db: { recipe: postgresql } }`, false],
  ['an unknown field of a component', `${head}${web}, prot: 80 } }`, false],
  ['a wrong type', `${head}${web}, port: many } }`, false],
  ['a number out of range', `${head}${web}, port: 0 } }`, false],
  ['a wrong unit', `${head}${web}, machine: { memory: 512 MB } } }`, false],
  ['a service that is not there', `${head}toolkit: { objectStorage: {} }`, false],
  ['a listener without a port', `${head}toolkit: { loadBalancer: { listeners: [ { to: web } ] } }`, false],
  ['one of several without a name', `${head}toolkit: { loadBalancer: [ { listeners: [] } ] }`, false],
  [
    'an expression for a number',
    `${head}parameters: { p: { type: integer, default: 1 } }\n${web}, replicas: "\${parameters.p}" } }`,
    true,
  ],
  [
    'an expression for a unit',
    `${head}parameters: { p: { type: string, default: 1GiB } }\n${web}, machine: { memory: "\${parameters.p}" } } }`,
    true,
  ],
  [
    'an expression for a word',
    `${head}parameters: { p: { type: string, default: tcp } }\ntoolkit: { loadBalancer: { listeners: [ { port: 80, protocol: "\${parameters.p}", to: { addresses: [192.0.2.1], port: 1 } } ] } }`,
    true,
  ],
  [
    'several balancers',
    `${head}toolkit: { loadBalancer: [ { name: a, listeners: [ { port: 80, to: { addresses: [192.0.2.1], port: 1 } } ] } ] }`,
    true,
  ],
]
test.each(cases)('the schema and the parser agree on %s', (_, text, wanted) => {
  expect(fits(text)).toBe(wanted)
  expect(problemsOf(text).length === 0).toBe(wanted)
})
