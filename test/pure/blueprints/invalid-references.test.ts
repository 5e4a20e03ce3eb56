import { expect, test } from 'vitest'
import { lines, problemsOf } from './fixture.ts'
import { head, testWrongLines } from './wrong-lines.ts'

testWrongLines([
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
])

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
