import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problemsOf } from '../../blueprints/fixture.ts'

/** The same with the names that there are. */
function told(toolkit: string): string[] {
  return found(toolkit).map(({ path, message, allowed }) => `${path}: ${message} (${allowed?.join(', ')})`)
}

/** `path: message` of a blueprint with one application and this toolkit. */
function problems(toolkit: string): string[] {
  return found(toolkit).map(({ path, message }) => `${path}: ${message}`)
}

function found(toolkit: string) {
  const web = '{ source: ./app, runtime: nodejs, start: node s.js, port: 80 }'
  const text = `apiVersion: kitbag/v1\nname: shop\ncomponents: { web: ${web} }\ntoolkit:\n${toolkit}`
  return problemsOf(text)
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

test('certificates of services of any name: SERVICE.NAME, and the known ones are told', () => {
  const one = (name: string) => `{ name: ${name}, certificates: [{ name: web, hosts: [a.example] }] }`
  const services = `  certificates: [${one('edge')}, ${one('certificates')}]\n`
  expect(problems(listener('[edge.web, web, certificates.web]') + services)).toEqual([])
  expect(told(`${listener('[web]')}  certificates: [${one('edge')}]\n`)).toEqual([
    'toolkit.loadBalancer.listeners[0].certificates[0]: there is no certificate web (edge.web)',
  ])
  expect(told(listener('[edge.wbe]') + services)).toEqual([
    'toolkit.loadBalancer.listeners[0].certificates[0]: there is no certificate edge.wbe (edge.web, web)',
  ])
  expect(problems(listener('["a b"]') + services)).toContainEqual(
    expect.stringMatching(/certificates\[0\]: must be the name of a certificate such as web, or .* edge\.web/),
  )
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
