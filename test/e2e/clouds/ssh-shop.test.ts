import { Resolver } from 'node:dns/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { type Metal, startMetal } from './metal.ts'

const host = 'www.shop.example'

/** What a client that trusts `ca` alone gets of the shop at this address. */
function status(address: string, ca: string): Promise<number | undefined> {
  const options = { host: address, path: '/ping', servername: host, headers: { host }, ca, agent: false as const }
  return new Promise((resolve, reject) => {
    const request = get({ ...options, timeout: 60_000 }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('timeout', () => request.destroy(new Error(`${address} is silent`)))
    request.on('error', reject)
  })
}

describe.skipIf(noMachines)(`the shop on machines that somebody owns${noMachines ? ` (${noMachines})` : ''}`, () => {
  const ends: (() => Promise<unknown>)[] = []
  let metal: Metal

  beforeAll(async () => {
    metal = await startMetal((end) => ends.push(end), 8)
  })
  afterAll(async () => {
    const failures: unknown[] = []
    for (const end of ends.reverse()) await end().catch((error) => failures.push(error))
    expect(failures).toEqual([])
  })

  async function done(operation: Operation): Promise<Operation> {
    const ended = await metal.box.finished(operation)
    expect([ended.status, ended.error]).toEqual(['succeeded', null])
    return ended
  }
  const ask = <T>(path: string) => metal.box.client.json<T>('GET', `/v1/deployments/shop/${path}`)
  const addressesOf = async (component: string) =>
    (await metal.box.show('shop')).machines.filter((one) => one.component === component).map(({ address }) => address)

  test('is deployed with its whole toolkit: names, https, monitoring', async () => {
    await done(await metal.box.deploy('shop', join(packageRoot(), 'examples/shop/blueprint.yaml'), { cloud: 'metal' }))
    const balancers = (await addressesOf('loadBalancer')).sort()
    expect(balancers).toHaveLength(2)
    for (const nameServer of await addressesOf('dns')) {
      const resolver = new Resolver({ timeout: 5_000, tries: 5 })
      resolver.setServers([String(nameServer)])
      expect((await resolver.resolve4(host)).sort()).toEqual(balancers)
    }
    const { certificate } = await ask<{ certificate: string }>('certificates/certificates/authority')
    expect(await Promise.all(balancers.map((address) => status(String(address), certificate)))).toEqual([200, 200])
    const targets = async () =>
      (await ask<{ targets: { machine: string; up: boolean }[] }>('monitoring/monitoring/targets')).targets
    await until(async () => (await targets()).every(({ up }) => up))
    expect(new Set((await targets()).map(({ machine }) => machine)).size).toBe(8)
    expect((await done(await metal.box.submit('shop', { kind: 'check' }))).result).toMatchObject({ drift: [] })
  })

  test('goes without a trace', async () => {
    await done(await metal.box.submit('shop', { kind: 'destroy', allowDataLoss: ['db'] }))
    expect(await metal.residue()).toEqual([])
  })
})
