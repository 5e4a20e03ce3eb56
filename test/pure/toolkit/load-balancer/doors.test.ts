import { describe, expect, test } from 'vitest'
import { expand } from '../../../../src/planner/expand.ts'
import { configured, isFixed } from '../../../../src/toolkit/load-balancer/configuration.ts'
import { prepare } from '../../../../src/toolkit/load-balancer/prepare.ts'
import { loadBalancerSchema } from '../../../../src/toolkit/load-balancer/schema.ts'
import { loadBalancer } from '../../../../src/toolkit/load-balancer/service.ts'
import { toolkit } from '../../../../src/toolkit/registry.ts'
import { component, inputFor, nothing, planOf, release } from '../../planner/world.ts'

const web = component('web', 'nodejs', { replicas: 2, placement: { cloud: 'other' } })
const specOf = (section: object) => loadBalancerSchema.parse({ listeners: [{ port: 80, to: 'web' }], ...section })
const planned = (section: object) =>
  loadBalancer.plan({ name: 'loadBalancer', spec: specOf(section), components: [web] })

const shopOf = (...balancers: [string, object][]) =>
  release({
    components: [web],
    services: balancers.map(([name, section]) => ({
      name,
      kind: 'loadBalancer',
      spec: JSON.parse(JSON.stringify(specOf(section))),
    })),
  })

describe('machines at another cloud than their load balancer', () => {
  test('have a door, which it comes to', () => {
    const { components, extras } = planned({})
    expect(extras).toEqual([{ component: 'web', name: 'tls-door', recipe: 'tls-door', settings: { target: 8080 } }])
    expect(components[0]?.encrypts).toEqual(['web'])
    expect(planOf(inputFor(shopOf(['loadBalancer', {}]), nothing())).units.length).toBeGreaterThan(0)
  })

  test('are that also where only the blueprint says where machines go', () => {
    const spec = shopOf(['loadBalancer', {}])
    const doors = (cloud: string) => {
      const blueprint = { ...spec.blueprint, placement: { cloud, region: 'north' } }
      const { components } = expand({ ...spec, blueprint }, toolkit, {})
      const [own, balancer] = components
      expect(balancer?.placement).toEqual({ cloud, region: 'north' })
      return own?.extras?.map(({ name }) => name) ?? []
    }
    expect(doors('home')).toEqual(['tls-door'])
    expect(doors('other')).toEqual([])
  })

  test('have one for one component only: two that share machines are refused by name', () => {
    const guest = component('admin', 'nodejs', { port: 8090, placement: { with: 'web', cloud: 'home' } })
    const listeners = [
      { port: 80, to: 'web' },
      { port: 81, to: 'admin' },
    ]
    const spec = shopOf(['loadBalancer', { listeners }])
    const { nodejs } = spec.recipes as Required<typeof spec.recipes>
    if (!nodejs) throw new Error('there is no recipe')
    const opens = [{ protocol: 'tcp' as const, port: 9997, from: 'users' as const }]
    const recipes = { ...spec.recipes, 'tls-door': { ...nodejs, opens } }
    const blueprint = { ...spec.blueprint, components: [web, guest] }
    expect(() => planOf(inputFor({ ...spec, recipes, blueprint }, nothing()))).toThrow(
      'components.admin and components.web share a machine, and both listen on port 9997',
    )
    // One that shares the machines of who sends to it is at the same cloud, wherever that is.
    const beside = { listeners: [{ port: 80, to: 'web' }], placement: { with: 'web' } }
    expect(planned(beside).extras).toEqual([])
  })

  test('share it among several load balancers', () => {
    const { components } = expand(shopOf(['one', {}], ['two', { listeners: [{ port: 81, to: 'web' }] }]), toolkit, {})
    expect(components.find(({ name }) => name === 'web')?.extras?.map(({ name }) => name)).toEqual(['tls-door'])
  })

  test('have none at the same cloud, or with a PROXY header, which would go before the TLS', () => {
    expect(planned({ placement: { cloud: 'other' } }).extras).toEqual([])
    const proxied = { listeners: [{ port: 80, to: 'web', proxyProtocol: { send: 'v2' } }] }
    expect(planned(proxied).extras).toEqual([])
    expect(() => planOf(inputFor(shopOf(['loadBalancer', proxied]), nothing()))).toThrow(
      'toolkit.loadBalancer: loadBalancer',
    )
  })
})

describe('what they are made of', () => {
  const seed = 's'.repeat(40)
  const servers = [{ name: 'web-1', address: '10.9.0.1', port: 8080 }]

  async function parametersOf(own = seed) {
    const settings = planned({}).components[0]?.settings as never as { backends: object[] }
    const backends = settings.backends.map((one) => ({ ...one, servers, door: { component: 'web', seed: own } }))
    const { parameters, secrets } = await prepare({
      parameters: { ...settings, backends, certificates: [], overrides: {} },
    })
    return { parameters, secrets, known: configured(parameters) }
  }

  test('the load balancer knows machines by it, verifies them, and proves itself', async () => {
    const { parameters, known, secrets } = await parametersOf()
    const [backend] = known.backends
    expect(backend?.servers).toEqual([{ ...servers[0], port: 9997 }])
    const file = '/etc/haproxy/kitbag/certificates/@door-web.pem'
    expect((parameters.backends as { check: string }[])[0]?.check).toContain(
      ` ssl verify required ca-file ${file} crt ${file} verifyhost kitbag `,
    )
    const [certificate] = parameters.certificates as { name: string; pem: string }[]
    expect(certificate?.name).toBe('@door-web')
    expect(secrets).toContain(certificate?.pem)
    // Clients are not shown it, and a running process cannot be given servers with it.
    expect(known.certificates).toEqual([])
    expect(backend && isFixed(backend)).toBe(true)
  })

  test('is the same on both sides, and another one takes another process', async () => {
    const door = await prepare({ extra: 'tls-door', parameters: { seed, target: 8080 } })
    const { parameters, known } = await parametersOf()
    const [certificate] = parameters.certificates as { pem: string }[]
    expect(certificate?.pem).toBe(`${door.parameters.certificate}${door.parameters.key}`)
    expect(door.secrets).toEqual([door.parameters.key])
    expect((await parametersOf('t'.repeat(40))).known.structure).not.toBe(known.structure)
  })
})
