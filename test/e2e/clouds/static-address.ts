import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment } from '../../../src/api/schemas/deployment.ts'
import type { Guest } from '../../support/guest.ts'
import { until } from '../../support/until.ts'
import { scan } from '../firewall/scan.ts'
import { noMachines } from '../providers/local-box.ts'
import { type Backend, startBackend } from '../toolkit/backend.ts'
import type { AtEnd, CloudUnderTest } from './guestbook.ts'

/** A cloud whose public addresses reach its machines. */
export interface AddressesUnderTest extends Pick<CloudUnderTest, 'box' | 'guest' | 'residue'> {
  /** An address of this process, for machines. */
  host: string
  /** Addresses that the account has, whoever uses them. */
  addresses(): Promise<string[]>
}

const name = 'fixed'
const zone = 'fixed.example'

/** A load balancer and a name server that the world knows by static addresses; what is behind is this process. */
function blueprint(backend: { host: string; port: number }, memory: string): string {
  const small = { cpu: 1, memory: '1GiB' }
  return JSON.stringify({
    apiVersion: 'kitbag/v1',
    name,
    toolkit: {
      loadBalancer: {
        listeners: [{ port: 80, protocol: 'http', to: { addresses: [backend.host], port: backend.port } }],
        machine: { cpu: 1, memory },
      },
      dns: {
        zone,
        nameservers: 1,
        ttl: '1s',
        records: ['A', 'AAAA'].map((type) => ({ name: 'www', type, value: '${loadBalancer.addresses}' })),
        machine: small,
      },
      healing: { interval: '2s', after: '10s', components: ['loadBalancer'] },
    },
  })
}

/** What the world knows a deployment by stays, whatever becomes of the machines. They have IPv6 addresses too, of their own. */
export function testStaticAddress(where: string, start: (atEnd: AtEnd) => Promise<AddressesUnderTest>): void {
  describe.skipIf(noMachines)(`static addresses on ${where}${noMachines ? ` (${noMachines})` : ''}`, () => {
    const ends: (() => Promise<unknown>)[] = []
    let cloud: AddressesUnderTest
    let backend: Backend
    /** The load balancer's and the name server's, as the world knows them from the first day. */
    let site = ''
    let server = ''

    beforeAll(async () => {
      backend = await startBackend('behind')
      ends.push(backend.close)
      cloud = await start((end) => ends.push(end))
    })

    afterAll(async () => {
      const failures: unknown[] = []
      for (const end of ends.reverse()) await end().catch((error) => failures.push(error))
      expect(failures).toEqual([])
    })

    async function submit(body: Record<string, unknown>): Promise<void> {
      const { status, error } = await cloud.box.finished(await cloud.box.submit(name, body))
      expect([status, error]).toEqual(['succeeded', null])
    }
    const deploy = (memory: string) =>
      submit({
        kind: 'deploy',
        cloud: 'home',
        blueprint: { text: blueprint({ ...backend, host: cloud.host }, memory) },
      })

    type Machine = Deployment['machines'][number]
    const machineOf = async (component: string): Promise<Machine> => {
      const { machines } = await cloud.box.show(name)
      const [found, ...more] = machines.filter((one) => one.component === component)
      if (!found || more.length > 0) throw new Error(`${component}: ${JSON.stringify(machines)}`)
      return found
    }
    const fixedOf = ({ addresses }: Machine) => addresses.find((one) => one.static)?.address ?? ''
    const sixesOf = ({ addresses }: Machine) =>
      addresses.flatMap(({ family, scope, address }) => (family === 6 && scope === 'public' ? [address] : []))

    function resolverAt(address: string): Resolver {
      const resolver = new Resolver({ timeout: 5_000, tries: 5 })
      resolver.setServers([address.includes(':') ? `[${address}]` : address])
      return resolver
    }

    /** By which another machine reaches it: inside where the cloud gives such, as the box forwards no IPv6 that would be translated. */
    const nearSixOf = ({ addresses }: Machine) => {
      const sixes = addresses.filter(({ family }) => family === 6)
      return (sixes.find(({ scope }) => scope === 'private') ?? sixes[0])?.address ?? ''
    }

    /** As a stranger comes: by the name, and no connection is kept. */
    async function answers(): Promise<string[]> {
      const resolver = resolverAt(server)
      const hosts = [...(await resolver.resolve4(`www.${zone}`)), ...(await sixesAt(resolver, `www.${zone}`))]
      return Promise.all(
        hosts.map(async (host) => {
          const response = await fetch(`http://${host.includes(':') ? `[${host}]` : host}/`, {
            headers: { connection: 'close' },
            signal: AbortSignal.timeout(60_000),
          })
          return `${host}: ${await response.text()}`
        }),
      )
    }

    /** The same addresses as ever, at the cloud, in DNS, and in use; the load balancer's machine is another than `before`. */
    async function expectMoved(before: Machine): Promise<void> {
      const now = await machineOf('loadBalancer')
      expect(now.name).not.toBe(before.name)
      expect(now.address).not.toBe(before.address)
      expect([fixedOf(now), fixedOf(await machineOf('dns'))]).toEqual([site, server])
      expect(await answers()).toEqual([site, ...sixesOf(now)].map((address) => `${address}: hello`))
      expect(sixesOf(now)).not.toEqual(sixesOf(before))
      expect((await cloud.addresses()).filter((one) => [site, server].includes(one)).sort()).toEqual(
        [site, server].sort(),
      )
    }

    test('the world finds load balancer and name server at addresses that their machines know nothing of', async () => {
      await deploy('1GiB')
      const [balancer, dns] = [await machineOf('loadBalancer'), await machineOf('dns')]
      site = fixedOf(balancer)
      server = fixedOf(dns)
      expect(new Set([site, server, balancer.address, dns.address, '']).size).toBe(5)
      const own = await (await cloud.guest(balancer.address ?? '')).run('ip -4 -oneline address')
      expect(own).toContain(balancer.address)
      expect(own).not.toContain(site)
      expect(await answers()).toEqual([site, ...sixesOf(balancer)].map((address) => `${address}: hello`))
      expect(await resolverAt(server).resolve4(`ns1.${zone}`)).toEqual([server])
    })

    test('IPv6: the same is open as by IPv4, for the world and for another machine', async () => {
      const [balancer, dns] = [await machineOf('loadBalancer'), await machineOf('dns')]
      const [six = '', nameserver = ''] = [...sixesOf(balancer), ...sixesOf(dns)]
      expect(await resolverAt(server).resolve6(`ns1.${zone}`)).toEqual([nameserver])
      expect(await resolverAt(nameserver).resolve6(`www.${zone}`)).toEqual([six])
      const guest = await cloud.guest(balancer.address ?? '')
      // Somebody's program, of which no blueprint knows.
      await guest.run('systemd-run --quiet systemd-socket-activate --accept --inetd --listen=[::]:8080 cat')
      const near = nearSixOf(balancer)
      const ownPort = () => scan([{ name: 'own', address: near }], '8080', guest)
      await until(async () => (await ownPort()).own?.length === 1)
      const open = async (addresses: string[], from?: Guest) => {
        const places = addresses.map((address) => ({ name: address, address }))
        const found = await scan(places, '22,53,80,443,3903,8080,8405,9100', from)
        expect(found).toEqual(Object.fromEntries(addresses.map((address) => [address, [22, 80]])))
      }
      await open([balancer.address ?? '', site, six, near])
      await open([balancer.address ?? '', site, near], await cloud.guest(dns.address ?? ''))
      expect(await ownPort()).toEqual({ own: [8080] })
    })

    test('another machine takes the place of the load balancer: it is served at the same address', async () => {
      const before = await machineOf('loadBalancer')
      await deploy('2GiB')
      await expectMoved(before)
    })

    test('the machine dies without a word: its replacement is served at the same address', async () => {
      const before = await machineOf('loadBalancer')
      await (await cloud.guest(before.address ?? '')).powerOff()
      await until(async () => {
        const { machines, operation } = await cloud.box.show(name)
        const names = machines.filter(({ component }) => component === 'loadBalancer').map((one) => one.name)
        return !names.includes(before.name) && names.length === 1 && operation?.status === 'succeeded'
      }, 300_000)
      await expectMoved(before)
    })

    test('destroyed, the addresses are given back, and nothing is left', async () => {
      await submit({ kind: 'destroy' })
      const swept = await cloud.box.client.json<Record<string, unknown[]>>('POST', '/v1/sweep', {})
      expect(Object.values(swept).flat()).toEqual([])
      expect(await cloud.addresses()).toEqual([])
      expect(await cloud.residue()).toEqual([])
    })
  })
}

async function sixesAt(resolver: Resolver, name: string): Promise<string[]> {
  return resolver.resolve6(name).catch(({ code }) => (code === 'ENODATA' ? [] : [String(code)]))
}
