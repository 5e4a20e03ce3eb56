import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problemsOf } from '../../blueprints/fixture.ts'

/** `path: message` of a blueprint whose application refers to this, and whose section is this. */
function problems(reference: string, section = '{ certificates: [ { name: web, hosts: [a.example] } ] }'): string[] {
  const web = `{ source: ./app, runtime: nodejs, start: node s.js, port: 80, env: { TLS: "${reference}" } }`
  const text = `apiVersion: kitbag/v1\nname: shop\ncomponents: { web: ${web} }\ntoolkit:\n  certificates: ${section}\n`
  return problemsOf(text).map(({ path, message }) => `${path}: ${message}`)
}

test.for(['${certificates.web.pem}', '${certificates.web.chain} ${certificates.web.key}', '${certificates.ca}'])(
  'what others may refer to: %s',
  (reference) => {
    expect(problems(reference)).toEqual([])
  },
)

test.for([
  [
    '${certificates.other.pem}',
    'components.web.env.TLS: ${certificates.other.pem}: certificates has no output other.pem',
  ],
  ['${certificates.web}', 'components.web.env.TLS: ${certificates.web}: certificates has no output web'],
  ['${certificates.web.crt}', 'components.web.env.TLS: ${certificates.web.crt}: certificates has no output web.crt'],
  [
    '${certificates.addresses}',
    'components.web.env.TLS: ${certificates.addresses}: certificates has no output addresses',
  ],
])('refused: %s', ([reference = '', problem]) => {
  expect(problems(reference)).toEqual([problem])
})

test('several services of their own names', () => {
  const section = (name: string) => `[ { name: ${name}, certificates: [ { name: web, hosts: [a.example] } ] } ]`
  expect(problems('${inner.web.pem} ${inner.ca}', section('inner'))).toEqual([])
  expect(problems('${certificates.web.pem}', section('inner'))).toHaveLength(1)
})

test('what is wrong in a section hides no other problem, and no reference to it is one', () => {
  const section = '{ certificates: [ { name: web, hosts: [] }, { name: [], hosts: [a.example] }, 5 ] }'
  const found = problems('${certificates.web.pem}', section)
  expect(found.map((one) => one.split(': ')[0])).toEqual([
    'toolkit.certificates.certificates[0].hosts',
    'toolkit.certificates.certificates[1].name',
    'toolkit.certificates.certificates[2]',
  ])
})

test('the example of the repository is right', () => {
  const text = readFileSync(new URL('../../../../examples/certificates/blueprint.yaml', import.meta.url), 'utf8')
  expect(problemsOf(text)).toEqual([])
})
