import { expect, test } from 'vitest'
import { lines, parse, problemsOf } from './fixture.ts'
import { head, right } from './wrong-lines.ts'

test('the right one is right', () => expect(problemsOf(right)).toEqual([]))

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

test('beyond 200 problems the rest is counted', () => {
  const text = `${head}${Array.from({ length: 300 }, (_, i) => `x${i}: 1`).join('\n')}\ncomponents: { db: { recipe: postgresql } }\n`
  expect(problemsOf(text)).toHaveLength(200)
  expect(() => parse(text)).toThrow('blueprint.yaml:3:1: x0: unknown field x0 (and 299 more)')
})
