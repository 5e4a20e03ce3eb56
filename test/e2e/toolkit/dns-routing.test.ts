import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packFiles } from '../../../src/lib/archive/pack.ts'
import { sha256 } from '../../../src/lib/digest.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { mmdbOf } from '../../support/mmdb.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { ask, blueprint, type DnsBox, startDnsBox } from './dns-box.ts'

const zone = 'shop.example'
const images = ['debian-12', 'debian-13']
const plain = { zone, nameservers: 1, records: [{ name: 'www', type: 'A', value: '192.0.2.1' }] }
const placed = {
  name: 'near',
  type: 'A',
  routing: 'nearest',
  answers: [
    { value: ['192.0.2.10', '192.0.2.11'], continents: ['EU'] },
    { value: '192.0.2.20', countries: ['DE', 'AT'] },
    { value: '192.0.2.30', continents: ['NA'] },
    { value: '192.0.2.40' },
  ],
}

describe.skipIf(noMachines)(`DNS: routing on real machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: DnsBox
  beforeAll(async () => {
    box = await startDnsBox(images)
    await Promise.all(
      images.map((image) => box.operate(image, blueprint(image, { ...plain, machine: { cpu: 1, image } }))),
    )
  })
  afterAll(() => box?.close())

  describe.each(images)('%s', (image) => {
    let node: MachineAccess
    const near = (subnet: string, name = 'near') => ask(node.address, `${name}.${zone}`, 'A', { subnet })
    /** What the node's server is: another one after a restart. */
    const server = () => box.run(node, 'systemctl show --property=MainPID pdns')
    /** Does something while the node is asked without a pause; every question is to be answered. */
    async function served(meanwhile: () => Promise<unknown>): Promise<void> {
      let over = false
      let asked = 0
      const before = await server()
      const asking = (async () => {
        for (; !over; asked++) expect(await ask(node.address, zone, 'SOA')).toHaveLength(1)
      })()
      try {
        await Promise.all([asking, meanwhile().finally(() => (over = true))])
      } finally {
        over = true
      }
      expect(asked).toBeGreaterThan(10)
      expect(await server()).toBe(before)
    }
    beforeAll(async () => {
      const [first] = await box.nodes(image)
      if (!first) throw new Error('no node')
      node = first
    })

    test('the country database comes with the first record that needs it, and the server goes on', async () => {
      const database = () => box.run(node, 'stat --format=%s -L /etc/powerdns/kitbag/countries/current/countries.mmdb')
      expect(Number(await database())).toBeLessThan(1000)
      const { routing, answers } = placed
      await served(() => box.change(image, 'PUT', `/zones/${zone}/records/soon/A`, { routing, answers }))
      expect(Number(await database())).toBeGreaterThan(1_000_000)
      expect(await near('84.160.0.0/24', 'soon')).toEqual(['192.0.2.20'])
      await box.operate(image, blueprint(image, { ...plain, machine: { cpu: 1, image }, records: [placed] }))
      expect((await box.operate(image, { kind: 'check' })).result.drift).toEqual([])
    })

    test('the client’s country, else its continent, else the answer for everybody', async () => {
      expect(await near('84.160.0.0/24')).toEqual(['192.0.2.20'])
      expect(await near('2003::/32')).toEqual(['192.0.2.20'])
      // France and the United States.
      expect(await near('163.172.0.0/24')).toEqual(['192.0.2.10', '192.0.2.11'])
      expect(await near('8.8.8.0/24')).toEqual(['192.0.2.30'])
      // Japan, and nowhere.
      expect(await near('133.11.0.0/24')).toEqual(['192.0.2.40'])
      expect(await near('192.168.0.0/24')).toEqual(['192.0.2.40'])
    })

    test('the next one when none of its addresses is alive', async () => {
      const answers = [
        { value: '192.0.2.20', countries: ['DE'] },
        { value: node.address, continents: ['EU'] },
        { value: '192.0.2.40' },
      ]
      await box.change(image, 'PUT', `/zones/${zone}/records/next/A`, {
        routing: 'nearest',
        answers,
        health: { tcp: 53 },
      })
      await until(async () => JSON.stringify(await near('84.160.0.0/24', 'next')) === JSON.stringify([node.address]))
      await until(async () => JSON.stringify(await near('133.11.0.0/24', 'next')) === JSON.stringify([node.address]))
    })

    test('what is not alive is left out, and the first group that is alive answers', async () => {
      const health = { tcp: 53 }
      const answers = [{ value: '192.0.2.20' }, { value: [node.address, '192.0.2.21'] }, { value: '192.0.2.22' }]
      const record = (name: string, body: object) =>
        box.change(image, 'PUT', `/zones/${zone}/records/${name}/A`, { ttl: '1s', health, ...body })
      await record('live', { value: ['192.0.2.20', node.address] })
      await record('first', { routing: 'failover', answers })
      await record('none', { routing: 'failover', answers: [{ value: '192.0.2.20' }, { value: '192.0.2.21' }] })
      const both = ['live', 'first']
      const now = async (names: string[]) =>
        JSON.stringify(await Promise.all(names.map((name) => ask(node.address, `${name}.${zone}`, 'A'))))
      await until(async () => (await now(both)) === JSON.stringify([[node.address], [node.address]]))
      await expect.poll(() => now(['none'])).toBe(JSON.stringify([['192.0.2.20', '192.0.2.21']]))
    })

    test('a database of one’s own takes its place, until it is removed', async () => {
      const bytes = await packFiles({
        'own.mmdb': mmdbOf({ '84.160.0.0/11': { country: { iso_code: 'US' }, continent: { code: 'NA' } } }),
      })
      const archive = sha256(bytes)
      await box.upload(archive, bytes)
      await served(() => box.change(image, 'PUT', '/countries', { archive }))
      expect(await box.read(image, '/countries')).toEqual({ archive })
      expect([await near('84.160.0.0/24'), await near('8.8.8.0/24')]).toEqual([['192.0.2.30'], ['192.0.2.40']])
      const wrong = await packFiles({ 'own.mmdb': Buffer.from('hello') })
      await box.upload(sha256(wrong), wrong)
      await expect(box.change(image, 'PUT', '/countries', { archive: sha256(wrong) })).rejects.toThrow(
        'own.mmdb cannot be used as a country database: it is no database in the MaxMind format',
      )
      await served(() => box.change(image, 'DELETE', '/countries'))
      expect(await near('84.160.0.0/24')).toEqual(['192.0.2.20'])
      // The one in use, the one before it, and the link.
      expect(Number(await box.run(node, 'ls /etc/powerdns/kitbag/countries | wc -l'))).toBeLessThanOrEqual(3)
      expect((await box.operate(image, { kind: 'check' })).result.drift).toEqual([])
    })
  })
})
