import { randomBytes } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { ask, blueprint, type DnsBox, question, startDnsBox, transfer, validated } from './dns-box.ts'

const zone = 'shop.example'
const hash = '12'.repeat(32)
const longText = '\n'.repeat(60_000)
const section = (image: string) => ({
  zone,
  dnssec: true,
  nameservers: 1,
  machine: { cpu: 0.5, memory: '384MiB', image },
  records: [
    { name: 'a', type: 'A', value: ['192.0.2.1', '192.0.2.2'], ttl: '5m' },
    { name: 'aaaa', type: 'AAAA', value: '2001:db8::1' },
    { name: '@', type: 'ALIAS', value: 'localhost.' },
    { name: 'caa', type: 'CAA', value: '0 issue "ca.example; x=1"' },
    { name: 'cname', type: 'CNAME', value: 'a' },
    { name: 'https', type: 'HTTPS', value: '1 . alpn=h2,h3 port=8443' },
    { name: 'loc', type: 'LOC', value: '52 22 23 N 4 53 32 E -2m' },
    { name: '@', type: 'MX', value: ['10 mail', '20 mail.other.example'] },
    { name: 'sub', type: 'NS', value: 'ns1.other.example' },
    { name: 'ptr', type: 'PTR', value: 'www' },
    { name: '_imaps._tcp', type: 'SRV', value: '0 5 993 mail' },
    { name: 'sshfp', type: 'SSHFP', value: `4 2 ${hash}` },
    { name: '_svc', type: 'SVCB', value: '2 svc ipv4hint=192.0.2.1 key9=x' },
    { name: '_443._tcp', type: 'TLSA', value: `3 1 1 ${hash}` },
    { name: 'txt', type: 'TXT', value: ['"a" ; b', 'x\ny \\ ü', '"; os.execute("id") --'] },
    { name: 'long', type: 'TXT', value: longText },
    { name: '*.wild', type: 'A', value: '192.0.2.3' },
    {
      name: 'many',
      type: 'A',
      routing: 'weighted',
      answers: Array.from({ length: 100 }, (_, i) => ({ value: `192.0.2.${i}`, weight: 1 })),
    },
  ],
  zones: [{ zone: '2.0.192.in-addr.arpa', records: [{ name: '1', type: 'PTR', value: 'a.shop.example' }] }],
})

describe.skipIf(noMachines)(`DNS: records on real machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: DnsBox
  beforeAll(async () => {
    box = await startDnsBox(images)
    await Promise.all(images.map((image) => box.operate(image, blueprint(image, section(image)))))
  })
  afterAll(() => box?.close())

  describe.each(images)('%s', (image) => {
    let node: MachineAccess
    let resolver: Resolver
    beforeAll(async () => {
      const [first] = await box.nodes(image)
      if (!first) throw new Error('no node')
      node = first
      resolver = new Resolver({ timeout: 10_000, tries: 2 })
      resolver.setServers([node.address])
    })

    test('every type is answered', async () => {
      const { address } = node
      expect((await resolver.resolve4('a.shop.example', { ttl: true })).map(({ ttl }) => ttl)).toEqual([300, 300])
      expect(await ask(address, 'a.shop.example', 'A')).toEqual(['192.0.2.1', '192.0.2.2'])
      expect(await resolver.resolve6('aaaa.shop.example')).toEqual(['2001:db8::1'])
      expect(await resolver.resolve4(zone)).toEqual(['127.0.0.1'])
      expect(await resolver.resolveCaa('caa.shop.example')).toEqual([{ critical: 0, issue: 'ca.example; x=1' }])
      expect(await resolver.resolveCname('cname.shop.example')).toEqual(['a.shop.example'])
      expect(await resolver.resolve4('cname.shop.example')).toHaveLength(2)
      expect((await resolver.resolveMx(zone)).sort((a, b) => a.priority - b.priority)).toEqual([
        { priority: 10, exchange: 'mail.shop.example' },
        { priority: 20, exchange: 'mail.other.example' },
      ])
      expect(await resolver.resolveNs(zone)).toEqual(['ns1.shop.example'])
      expect(await resolver.resolve4('ns1.shop.example')).toEqual([address])
      expect(await resolver.resolvePtr('ptr.shop.example')).toEqual(['www.shop.example'])
      expect(await resolver.reverse('192.0.2.1')).toEqual(['a.shop.example'])
      expect(await resolver.resolveSrv('_imaps._tcp.shop.example')).toEqual([
        { priority: 0, weight: 5, port: 993, name: 'mail.shop.example' },
      ])
    })

    test('types that only their clients know are right on the wire', async () => {
      const wire = (name: string, type: number) => ask(node.address, `${name}.${zone}`, `UNKNOWN_${type}`)
      const word = (number: number) => number.toString(16).padStart(8, '0')
      const equator = 2 ** 31
      // RFC 1876, 2: sizes 1 m, 10 km, 10 m as digit and power of ten; thousandths of a second of arc; cm above 100 km below.
      expect(await ask(node.address, 'loc.shop.example', 'LOC')).toEqual([
        `00121613${word(equator + 188_543_000)}${word(equator + 17_612_000)}${word(10_000_000 - 200)}`,
      ])
      expect(await ask(node.address, 'sshfp.shop.example', 'SSHFP')).toEqual([`4 2 ${hash}`])
      expect(await ask(node.address, '_443._tcp.shop.example', 'TLSA')).toEqual([`3 1 1 ${hash}`])
      // RFC 9460, 2.2: priority, target, then key, length and value of each parameter.
      expect(await wire('https', 65)).toEqual([`000100${'00010006'}026832026833${'00030002'}20fb`])
      const target = Buffer.from('\x03svc\x04shop\x07example\0').toString('hex')
      expect(await wire('_svc', 64)).toEqual([`0002${target}${'00040004'}c0000201${'00090001'}78`])
    })

    test('texts that would break out of their line are answered as they are', async () => {
      // Node gives a text's bytes as characters.
      const utf8 = (strings: string[]) => Buffer.from(strings.join(''), 'latin1').toString('utf8')
      const texts = (await resolver.resolveTxt('txt.shop.example')).map(utf8)
      expect(texts.sort()).toEqual(['"; os.execute("id") --', '"a" ; b', 'x\ny \\ ü'].sort())
      const [long] = await resolver.resolveTxt('long.shop.example')
      expect(long?.join('') === longText).toBe(true)
    })

    test('wildcards, and names that are not there', async () => {
      expect(await ask(node.address, 'x.y.wild.shop.example', 'A')).toEqual(['192.0.2.3'])
      expect(await ask(node.address, 'X.WILD.shop.example', 'A')).toEqual(['192.0.2.3'])
      expect(await ask(node.address, 'none.shop.example', 'A')).toEqual(['NXDOMAIN'])
      expect(await ask(node.address, 'a.shop.example', 'MX')).toEqual([])
      expect(await ask(node.address, 'www.other.example', 'A')).toEqual(['REFUSED'])
    })

    test('one of 100 weighted addresses', async () => {
      const seen = new Set<string>()
      for (let i = 0; i < 20; i++) for (const one of await ask(node.address, 'many.shop.example', 'A')) seen.add(one)
      expect(seen.size).toBeGreaterThan(5)
    })

    test('the signed zone validates with the DS that the API shows, and what is not there too', async () => {
      const { zones } = await box.read<{ zones: { zone: string; ds: string[] }[] }>(image, '/zones')
      const [ds = ''] = zones.find((one) => one.zone === zone)?.ds ?? []
      const ask = (question: string) => validated(box, node, [zone, ds], question)
      for (const question of [
        'a.shop.example A',
        'x.wild.shop.example A',
        'many.shop.example A',
        'long.shop.example TXT',
      ])
        expect(await ask(question), question).toMatch(/^; (?:negative response, )?fully validated/m)
      expect(await ask('none.shop.example A')).toMatch(/negative response, fully validated/)
      const other = ds.replace(/.{8}$/, '00000000')
      expect(await validated(box, node, [zone, other], 'a.shop.example A')).not.toContain('fully validated')
    })

    test('the server finds no fault in its zones, and nothing differs from what was deployed', async () => {
      expect(await box.run(node, 'pdnsutil check-all-zones 2>&1')).toContain('Checked 2 zones, 0 had errors')
      expect((await box.operate(image, { kind: 'check' })).result.drift).toEqual([])
    })

    test('a signed zone is transferred to who has its key', async () => {
      const key = { name: 'transfer.example', secret: randomBytes(32).toString('base64') }
      await box.putSecret(image, 'TRANSFER_KEY', key.secret)
      const transferKey = { name: key.name, secret: '${secrets.TRANSFER_KEY}' }
      // PowerDNS 4.7 fails to transfer records that together do not fit one message (its issue 11804).
      const records = section(image).records.filter((record) => image !== 'debian-12' || record.name !== 'long')
      await box.operate(image, blueprint(image, { ...section(image), records, transferKey }))
      expect(await transfer(node.address, zone)).toEqual(['NOTAUTH'])
      const transferred = await transfer(node.address, zone, key)
      expect(transferred).toContain('_443._tcp.shop.example TLSA')
      expect(transferred.includes('long.shop.example TXT')).toBe(image !== 'debian-12')
      expect(transferred).toContain('a.shop.example RRSIG')
      expect(await transfer(node.address, '2.0.192.in-addr.arpa', key)).toEqual(['NOTAUTH'])
    })

    test('a delegation refers to its name servers', async () => {
      const { authorities = [], answers = [] } = await question(node.address, 'www.sub.shop.example', 'A')
      expect(answers).toEqual([])
      expect(authorities).toMatchObject([{ name: 'sub.shop.example', type: 'NS', data: 'ns1.other.example' }])
    })
  })
})
