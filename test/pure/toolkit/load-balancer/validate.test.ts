import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problemsOf } from '../../blueprints/fixture.ts'

/** `path: message` of a blueprint with one application and this toolkit. */
function problems(toolkit: string): string[] {
  const web = '{ source: ./app, runtime: nodejs, start: node s.js, port: 80 }'
  const text = `apiVersion: kitbag/v1\nname: shop\ncomponents: { web: ${web} }\ntoolkit:\n${toolkit}`
  return problemsOf(text).map(({ path, message }) => `${path}: ${message}`)
}

const listener = (certificates: string) =>
  `  loadBalancer: { listeners: [{ port: 443, protocol: https, to: web, certificates: ${certificates} }] }\n`

test('certificates are those of the blueprint’s own service', () => {
  const service = '  certificates: { certificates: [{ name: web, hosts: [a.example] }] }\n'
  expect(problems(listener('[web]') + service)).toEqual([])
  expect(problems(listener('[web, wbe]') + service)).toEqual([
    'toolkit.loadBalancer.listeners[0].certificates[1]: there is no certificate wbe',
  ])
  expect(problems(listener('[web]'))).toEqual([
    expect.stringMatching(/^toolkit\.loadBalancer\.listeners\[0\]\.certificates: .* no toolkit service `certificates`/),
  ])
})

test('an address that moves needs machines to move between', () => {
  const section = (replicas: number) =>
    `  loadBalancer: { listeners: [{ port: 80, to: web }], floatingAddress: true, replicas: ${replicas} }\n`
  expect(problems(section(2))).toEqual([])
  expect(problems(section(1))).toEqual([expect.stringMatching(/floatingAddress: .*`replicas: 2` or more/)])
})

test('the example of the repository is right', () => {
  const text = readFileSync(new URL('../../../../examples/edge/blueprint.yaml', import.meta.url), 'utf8')
  expect(problemsOf(text)).toEqual([])
})
