import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, small, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = balancedShop({
  web: { machine: small, update: { drain: '5s' } },
  autoscaler: [
    {
      component: 'web',
      interval: '1s',
      cooldown: { out: '1s', in: '1s' },
      stabilisation: '5s',
      warmUp: '1s',
      min: 1,
      max: 3,
      target: { metric: 'requests-per-second-per-machine', value: 100 },
    },
  ],
})

interface Decided {
  message: string
  data: { from: number; to: number; reason: string }
}

describe.skipIf(noMachines)(`a component that is scaled by its load${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  const path = '/v1/deployments/shop/autoscalers/autoscaler-web'
  const ready = async () =>
    (await shop.machines('web')).filter(({ status }) => status === 'ready').map(({ name }) => name)
  const idle = async () => {
    const { items } = await shop.call<{ items: { status: string }[] }>('GET', '/v1/operations?deployment=shop&limit=5')
    return items.every(({ status }) => status === 'succeeded')
  }
  const decisions = async () => (await shop.call<{ decisions: Decided[] }>('GET', `${path}/decisions`)).decisions
  const balancer = async () => `http://${(await shop.machines('loadBalancer'))[0]?.address}/`

  test('much load: machines are added and serve; little: they go; 0 requests are lost, and each change says why', async () => {
    const much: Load = startLoad(await balancer(), { connections: 10, keepAlive: true })
    const began = Date.now()
    // As few as one machine bears, one after the other; from before the load ends.
    let over = false
    let asked = 0
    const little = async () => {
      for (; !over; asked++) {
        expect((await fetch(await balancer(), { headers: { connection: 'close' } })).status).toBe(200)
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
    }
    let asking: Promise<void> | undefined
    try {
      try {
        await until(async () => (await ready()).length === 3 && (await idle()))
        console.log(`three machines serve ${((Date.now() - began) / 1000).toFixed(1)} s after the load began`)
        await until(() => Object.keys(much.result.servedBy).length === 3)
      } finally {
        asking = little()
        const { failures, total } = await much.stop(10_000)
        console.log(`${total} requests while machines were added`)
        expect(failures).toEqual({})
      }
      await until(async () => (await ready()).length === 1 && (await idle()) && asked > 50)
    } finally {
      over = true
      await asking
    }
    const told = await decisions()
    const changes = told.filter(({ data }) => data.from !== data.to).map(({ data }) => `${data.from} ${data.to}`)
    expect(changes.at(-1)).toMatch(/^1 [23]$/)
    expect(changes[0]).toMatch(/^[23] 1$/)
    expect(told.findLast(({ data }) => data.from !== data.to)?.message).toMatch(
      /^1 -> [23] machines: requests-per-second-per-machine is [\d.e+]+, its target 100$/,
    )
  })

  test('a size by hand is refused, with the way out; paused it is taken, and after that the autoscaler goes on', async () => {
    await expect(shop.scale({ web: 2 })).rejects.toThrow(/web is scaled by autoscaler-web/)
    await shop.call('PATCH', `${path}/state`, { paused: true })
    await until(async () => (await decisions())[0]?.data.reason === 'paused')
    await shop.scale({ web: 2 })
    expect(await ready()).toHaveLength(2)
    await shop.call('PATCH', `${path}/state`, { paused: false })
    await until(async () => (await ready()).length === 1 && (await idle()))
  })
})
