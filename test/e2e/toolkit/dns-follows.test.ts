import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noMachines } from '../providers/local-box.ts'
import { ask, type DnsBox, startDnsBox } from './dns-box.ts'

const name = 'follows'
const zone = 'shop.example'

/** An application of one machine of a size, and its name. */
const blueprint = (cpu: number) => ({
  kind: 'deploy',
  cloud: 'home',
  blueprint: {
    text: JSON.stringify({
      apiVersion: 'kitbag/v1',
      name,
      components: { web: { recipe: 'base', machine: { cpu, memory: '256MiB' } } },
      toolkit: {
        dns: {
          zone,
          machine: { cpu: 0.5, memory: '256MiB' },
          records: [{ name: 'www', type: 'A', value: '${web.addresses}', ttl: '2s' }],
        },
      },
    }),
  },
})

interface Unit {
  kind: string
  machine: string
  startedAt: string
  finishedAt: string
}

describe.skipIf(noMachines)(`DNS follows machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: DnsBox
  beforeAll(async () => {
    box = await startDnsBox(['debian-13'])
    await box.operate(name, blueprint(0.25))
  })
  afterAll(() => box?.close())

  test('a machine that takes another’s place is in every answer before the other goes, and the other is in none when it goes', async () => {
    const machines = await box.nodes(name)
    const nodes = machines.filter((machine) => machine.name.startsWith('dns-'))
    const [old = ''] = machines.filter((machine) => machine.name.startsWith('web-')).map(({ address }) => address)
    const answered: { at: number; address: string[] }[] = []
    const watching = new AbortController()
    const watch = (async () => {
      while (!watching.signal.aborted) {
        for (const { address } of nodes)
          answered.push({ at: Date.now(), address: await ask(address, `www.${zone}`, 'A') })
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    await box.operate(name, blueprint(0.3))
    watching.abort()
    await watch
    const now = (await box.nodes(name)).filter((machine) => machine.name.startsWith('web-'))
    const [fresh = ''] = now.map(({ address }) => address)
    expect(fresh).not.toBe(old)
    const { store, tenantId } = box.plane.parts
    const operations = await store.operations.list(tenantId, { deployment: name }, { limit: 10 })
    const [last] = operations.filter(({ kind }) => kind === 'deploy')
    const { units } = (await (await box.plane.request('GET', `/v1/operations/${last?.id}`)).json()) as {
      units: Unit[]
    }
    const destroy = units.find((unit) => unit.kind === 'destroy' && unit.machine.startsWith('web-'))
    const gone = Date.parse(destroy?.startedAt ?? '')
    expect(answered.every(({ address }) => address.length > 0)).toBe(true)
    const lastOld = Math.max(...answered.flatMap(({ at, address }) => (address.includes(old) ? [at] : [])))
    const firstFresh = answered.find(({ address }) => address.includes(fresh))?.at ?? Number.POSITIVE_INFINITY
    expect(firstFresh).toBeLessThan(gone)
    expect(lastOld).toBeLessThan(gone)
    expect(answered.at(-1)?.address).toEqual([fresh])
  })
})
