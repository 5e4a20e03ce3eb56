import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issueLeaf, makeAuthority } from '../../../src/toolkit/certificates/x509.ts'
import { startPebble } from '../../support/pebble.ts'
import { until } from '../../support/until.ts'
import { type CliControlPlane, startCliControlPlane } from './control-plane.ts'

const day = 86_400_000
let plane: CliControlPlane
let folder: string

beforeAll(async () => {
  plane = await startCliControlPlane()
  const blueprint = plane.blueprint(`apiVersion: kitbag/v1
name: names
toolkit:
  certificates:
    certificates:
      - { name: web, hosts: [www.shop.example, 192.0.2.7] }
      - { name: partner, hosts: [partner.example], issuer: upload }
`)
  folder = dirname(blueprint)
  // Certificates alone need no machine, and so no cloud.
  expect(await plane.kitbag(['deploy', blueprint])).toMatchObject({ status: 0 })
})
afterAll(() => plane?.stop())

test('the words of the command are told by the control plane', async () => {
  const { stdout, status } = await plane.kitbag(['certificates'])
  const words = stdout.split('\n').flatMap((line) => /^kitbag certificates (\S+)/.exec(line)?.[1] ?? [])
  expect([status, words.sort()]).toEqual([0, ['ca', 'events', 'health', 'list', 'renew', 'service', 'show', 'upload']])
  expect(stdout).toContain('DEPLOYMENT CERTIFICATE --certificate FILE --key FILE')
})

test('a certificate is listed, shown, trusted and renewed', async () => {
  const list = await plane.kitbag(['certificates', 'list', 'names'])
  expect(list.stdout).toMatch(/^web .* current .* CN=Kitbag names/m)
  expect(list.stdout).toMatch(/^partner .* stand-in /m)
  const ca = new X509Certificate((await plane.kitbag(['certificates', 'ca', 'names'])).stdout)
  const shown = async () => new X509Certificate((await plane.kitbag(['certificates', 'show', 'names', 'web'])).stdout)
  const first = await shown()
  expect([first.verify(ca.publicKey), first.checkIP('192.0.2.7')]).toEqual([true, '192.0.2.7'])
  expect(await plane.kitbag(['certificates', 'renew', 'names', 'web'])).toMatchObject({ status: 0 })
  const second = await shown()
  expect([second.verify(ca.publicKey), second.serialNumber === first.serialNumber]).toEqual([true, false])
})

test('an upload names two files; what is wrong with them is told', async () => {
  const until = new Date(Date.now() + 365 * day)
  const authority = { ...makeAuthority('Somebody', 365 * day, new Date()), name: 'Somebody', until }
  const made = issueLeaf(authority, { hosts: ['partner.example'], lifetime: day, now: new Date() })
  const [certificate, key, other] = ['chain.pem', 'key.pem', 'other.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(certificate, made.certificate + authority.certificate)
  writeFileSync(key, made.key)
  writeFileSync(other, authority.key)
  const upload = (...more: string[]) => plane.kitbag(['certificates', 'upload', 'names', 'partner', ...more])
  expect(await upload('--certificate', certificate)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('--key FILE'),
  })
  expect(await upload('--certificate', certificate, '--key', join(folder, 'nosuch'))).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('there is no such file'),
  })
  expect(await upload('--certificate', certificate, '--key', other)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('the key is not that of the certificate'),
  })
  expect(await upload('--certificate', certificate, '--key', key)).toMatchObject({ status: 0 })
  const list = await plane.kitbag(['certificates', 'list', 'names'])
  expect(list.stdout).toMatch(/^partner .* current .* CN=Somebody/m)
  expect(await plane.kitbag(['certificates', 'renew', 'names', 'partner'])).toMatchObject({ status: 4 })
})

test('a deploy says that an authority did not give a certificate, and why', async () => {
  const acme = { directory: 'https://127.0.0.1:9/dir', challenge: 'http-01' }
  const toolkit = {
    certificates: {
      issuers: [{ name: 'nowhere', acme }],
      certificates: [{ name: 'web', hosts: ['www.shop.example'], issuer: 'nowhere' }],
    },
  }
  const text = JSON.stringify({ apiVersion: 'kitbag/v1', name: 'away', toolkit })
  const deployed = await plane.kitbag(['deploy', plane.blueprint(text)])
  expect(deployed.status).toBe(0)
  expect(`${deployed.stdout}${deployed.stderr}`).toMatch(
    /warn: certificates: the certificate web: 127\.0\.0\.1:9 does not answer: .*; tried again at 20/,
  )
})

test('a control plane that is killed under way goes on with the same order', async () => {
  const pebble = await startPebble({ slow: 5 })
  try {
    const { directory, trust } = pebble
    const acme = { directory, trust, challenge: 'http-01' }
    const toolkit = {
      loadBalancer: { listeners: [{ port: 80, to: { addresses: ['192.0.2.1'], port: 80 } }] },
      certificates: {
        issuers: [{ name: 'pebble', acme }],
        certificates: [{ name: 'web', hosts: ['www.shop.example'], issuer: 'pebble' }],
      },
    }
    const text = JSON.stringify({ apiVersion: 'kitbag/v1', name: 'killed', toolkit })
    const deploying = plane.start(['deploy', plane.blueprint(text), '--cloud', 'home'])
    await until(() => pebble.log().includes('Pulled a task from the Tasks queue'))
    await plane.restart()
    const state = async () => (await plane.kitbag(['certificates', 'list', 'killed'])).stdout
    await until(async () => / current .*CN=Pebble Intermediate/.test(await state()))
    expect(pebble.log().match(/Added order/g)).toHaveLength(1)
    deploying.kill()
  } finally {
    await pebble.close()
  }
})

test('it outlives the control plane, and ends with the deployment', async () => {
  const before = await plane.kitbag(['certificates', 'list', 'names'])
  await plane.restart()
  expect((await plane.kitbag(['certificates', 'list', 'names'])).stdout).toBe(before.stdout)
  expect(await plane.kitbag(['destroy', 'names', '--yes'])).toMatchObject({ status: 0 })
  expect((await plane.kitbag(['certificates', 'list', 'names'])).status).toBe(1)
})
