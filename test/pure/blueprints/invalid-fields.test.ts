import { expect, test } from 'vitest'
import { lines, problemsOf } from './fixture.ts'
import { head, testWrongLines } from './wrong-lines.ts'

testWrongLines([
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
    'a port that is missing',
    10,
    '    health: { http: / }',
    [
      "10:21 components.web.health.http: needs the component's `port`",
      '19:25 toolkit.loadBalancer.listeners[0].to: web has no port',
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
    ],
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
])

test('what is no map, or has nothing in it', () => {
  expect(lines(problemsOf('- a'))).toEqual(['1:1 : a blueprint is a map with apiVersion, name, components and toolkit'])
  expect(lines(problemsOf(''))).toEqual(['1:1 : a blueprint is a map with apiVersion, name, components and toolkit'])
  expect(lines(problemsOf(head))).toEqual(['1:1 : it has neither components nor a toolkit'])
  expect(lines(problemsOf(`${head}components: []`))).toEqual([
    '1:1 : it has neither components nor a toolkit',
    '3:13 components: must be a map of components by name',
  ])
})
