import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Recipe } from '../../../src/recipes/recipe.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { program } from './fixture.ts'

const recipes = await shippedRecipes()
const get = (name: string): Recipe => {
  const found = recipes.get(name)
  if (!found) throw new Error(name)
  return found
}

test('every folder of /recipes is a recipe of that name', () => {
  expect([...recipes.keys()].sort()).toEqual(readdirSync('recipes').sort())
  for (const [name, { files }] of recipes)
    expect(files['recipe.yaml']?.toString()).toMatch(new RegExp(`^name: ${name}$`, 'm'))
})

test('what blueprints know of them', () => {
  expect(get('nodejs').signature).toMatchObject({
    kind: 'application',
    stateful: false,
    phases: ['install', 'migrate', 'configure'],
  })
  expect(get('postgresql').signature).toMatchObject({
    kind: 'service',
    stateful: true,
    defaultPort: 5432,
    outputs: ['database', 'password', 'url', 'user'],
    phases: ['install', 'configure'],
  })
  expect(get('rabbitmq').signature).toMatchObject({
    kind: 'service',
    stateful: true,
    defaultPort: 5672,
    outputs: ['password', 'url', 'user', 'vhost'],
    loopback: [4369, 15692, 25672],
    phases: ['install', 'configure'],
  })
  expect(get('base').signature.phases).toEqual(['install'])
})

test('nodejs: no migrate command, no migration; packages of the blueprint beside its own', () => {
  const names = (phase: 'install' | 'migrate', migrate?: string) =>
    program(get('nodejs'), {
      phase,
      context: {
        parameters: { packages: ['node-pg'] },
        source: { digest: 'a'.repeat(64) },
        start: 'node server.js',
        ...(migrate && { migrate }),
      },
    }).resources.map(({ resource }) => resource)
  expect(names('migrate')).toEqual([])
  expect(names('migrate', 'node migrate.js')).toEqual(['command:migrate'])
  expect(names('install').slice(0, 3)).toEqual(['package:nodejs', 'package:node-pg', 'user:kitbag-web'])
})

test('nodejs: long and mixed names become names of accounts', () => {
  const account = (component: string) =>
    program(get('nodejs'), {
      phase: 'configure',
      context: { component, source: { digest: 'a'.repeat(64) }, start: 'x' },
    }).resources.find(({ resource }) => resource.startsWith('service:'))?.resource
  expect(account('shopFront')).toBe('service:kitbag-shop-front')
  expect(account('a'.repeat(40))).toMatch(/^service:kitbag-a{17}-[0-9a-f]{7}$/)
})

test('nodejs: a line in a start command is refused, as is an environment that no shell can hold', () => {
  const start =
    (command: string, env = {}) =>
    () =>
      program(get('nodejs'), { context: { start: command, env, source: { digest: 'a'.repeat(64) } } })
  expect(start('node a.js', { 'A.B': '1' })).toThrow(
    'recipe nodejs: env.hbs:7:8: {{envName @key}}: "A.B" is no name of an environment variable',
  )
  expect(start('node a.js', { A: 'a\0b' })).toThrow('recipe nodejs: env.hbs:7:25: {{sh this}}: holds the character NUL')
})

const tls = { certificate: '-----BEGIN CERTIFICATE-----\n', key: '-----BEGIN PRIVATE KEY-----\n' }

test('postgresql: access for exactly the machines that refer to it; the password only through files, environment and standard input', () => {
  const password = "s3cret'word"
  const { text } = program(get('postgresql'), {
    secrets: [password],
    context: {
      component: 'db',
      tls,
      parameters: { database: 'shop', password },
      consumers: [
        {
          name: 'web',
          machines: [
            { name: 'web-1', address: '10.0.0.3', elsewhere: false },
            { name: 'web-2', address: 'fd00::4', elsewhere: false },
          ],
        },
      ],
    },
  })
  expect(text).toContain('host "shop" "shop" 10.0.0.3/32 scram-sha-256\nhost "shop" "shop" fd00::4/128 scram-sha-256\n')
  const lines = text.split('\n').filter((line) => line.includes('s3cret'))
  expect(lines).toEqual([
    expect.stringMatching(/^export PGPASSWORD=/),
    expect.stringMatching(/^alter role "shop" with login password /),
  ])
})

test('postgresql: who comes from elsewhere comes by TLS alone', () => {
  const consumers = (elsewhere: boolean) => [
    { name: 'web', machines: [{ name: 'web-1', address: '10.0.0.3', elsewhere }] },
  ]
  const text = (elsewhere: boolean) =>
    program(get('postgresql'), {
      context: { component: 'db', tls, parameters: { password: 'long enough' }, consumers: consumers(elsewhere) },
    }).text
  expect(text(true)).toContain('\nhostssl "app" "app" 10.0.0.3/32 scram-sha-256\n')
  expect(text(true)).not.toContain('\nhost "app" "app" 10.0.0.3/32')
  expect(text(false)).toContain('\nhost "app" "app" 10.0.0.3/32 scram-sha-256\n')
})

test.each(['database', 'user'])('postgresql: a bad %s is refused', (name) => {
  const parameters = { password: 'long enough', [name]: 'a"; drop' }
  expect(() => program(get('postgresql'), { context: { parameters } })).toThrow(`parameters.${name}: must match`)
})

describe('rabbitmq', () => {
  const broker = (phase: 'install' | 'configure', parameters = {}) =>
    program(get('rabbitmq'), {
      phase,
      secrets: ['s3cret"word'],
      context: { component: 'queue', parameters: { password: 's3cret"word', ...parameters } },
    })

  test('nothing runs before it is configured, and nothing but its port is open then', () => {
    const { text, resources } = broker('install')
    expect(resources.at(-1)?.resource).toBe('package:rabbitmq-server')
    expect(text).toContain('ConditionPathExists=/etc/rabbitmq/kitbag.json')
    const { text: configured } = broker('configure')
    expect(configured).toContain('listeners.tcp.kitbag = 10.0.0.2:5672\n')
    expect(configured).toContain('prometheus.tcp.ip = 127.0.0.1\n')
  })

  test('the password is in one file, and no command has it', () => {
    const lines = broker('configure')
      .text.split('\n')
      .filter((line) => line.includes('s3cret'))
    expect(lines).toEqual([expect.stringMatching(/^ {2}"users": .*"name": "app", "password": "s3cret\\"word"/)])
  })

  test('one line of its configuration stays one', () => {
    expect(() => broker('configure', { configuration: { heartbeat: '60\nloopback_users = none' } })).toThrow('line')
    expect(() => broker('configure', { vhost: 'a/b' })).toThrow('parameters.vhost: must match')
  })
})
