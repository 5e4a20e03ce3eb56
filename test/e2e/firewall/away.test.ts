import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from '../toolkit/deployment.ts'

const blueprint = `
apiVersion: kitbag/v1
name: shop
components:
  api: { source: ./app, runtime: nodejs, start: node server.js, port: 8080, machine: { memory: 256MiB } }
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8081
    env: { API: "\${api.url}" }
    machine: { memory: 256MiB }
`

/** Nothing comes in any more, as on a machine whose network is gone; what stands is cut too. */
const cut = ['INPUT', '-j', 'DROP']

describe.skipIf(noMachines)(`a machine whose network is gone${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('who is to come to it comes all the same, and is let in when it is back', async () => {
    const api = await shop.guest('api-1')
    const callers = async () =>
      (await api.run('nft list set inet kitbag from.web.4')).match(/\d+\.\d+\.\d+\.\d+/g)?.sort() ?? []
    const before = await shop.machines('web')
    await api.inNetwork('iptables', '-A', ...cut)
    const { result } = await shop.scale({ web: 2 })
    expect(result?.behind?.map(({ machine }) => machine)).toEqual(['api-1'])
    expect(await callers()).toEqual(before.map(({ address }) => address))

    await api.inNetwork('iptables', '-D', ...cut)
    const after = (await shop.machines('web')).map(({ address }) => address).sort()
    await until(async () => (await callers()).join() === after.join())
    const [machine] = await shop.machines('api')
    const newcomer = await shop.guest('web-2')
    const ask = `node -e "fetch('http://${machine?.address}:8080/').then((answer) => answer.text()).then(console.log)"`
    expect(await newcomer.run(ask)).toBe('hello')
  })
})
