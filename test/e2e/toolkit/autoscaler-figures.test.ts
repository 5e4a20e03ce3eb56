import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Load, startLoad } from '../../../bench/load.ts'
import type { Client } from '../../../src/api/client.ts'
import { recordedLoad } from '../../../src/cli/recorded-load.ts'
import { type RecordedLoad, readPolicy, replay } from '../../../src/toolkit/autoscaler/replay.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, small, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = balancedShop({
  web: { machine: small },
  monitoring: {},
  autoscaler: [
    {
      component: 'web',
      min: 1,
      max: 1,
      interval: '2s',
      targets: [
        { metric: 'cpu', value: 5 },
        { metric: 'memory', value: 0.9 },
        { metric: 'queue-length', value: 1000 },
        { metric: 'error-rate', value: 0.5 },
        { metric: 'latency-p95', value: 5 },
        { promql: 'sum(up{job="node"})', value: 100 },
      ],
    },
  ],
})

interface Decided {
  data: { reason: string; inputs: Record<string, { value: number | null; problem?: string }> }
}

describe.skipIf(noMachines)(`every figure that an autoscaler goes by${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment
  let load: Load | undefined

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
    const address = (await shop.machines('loadBalancer'))[0]?.address
    load = startLoad(`http://${address}/`, { connections: 4, keepAlive: true })
  })

  afterAll(async () => {
    await load?.stop()
    expect(await shop?.close()).toEqual([])
  })

  test('is known under load, of real machines, and makes sense', async () => {
    let inputs: Decided['data']['inputs'] = {}
    await until(async () => {
      const { decisions } = await shop.call<{ decisions: Decided[] }>(
        'GET',
        '/v1/deployments/shop/autoscalers/autoscaler-web/decisions',
      )
      // Before every figure is known it says that one is missing.
      const found = decisions.find(({ data }) => data.reason !== 'no-figures')
      inputs = found?.data.inputs ?? {}
      return found !== undefined
    }, 300_000)
    console.log(JSON.stringify(inputs))
    const figure = (name: string) => inputs[name]?.value ?? Number.NaN
    expect(figure('cpu')).toBeGreaterThan(0.01)
    expect(figure('cpu')).toBeLessThan(1.5)
    expect(figure('memory')).toBeGreaterThan(0.02)
    expect(figure('memory')).toBeLessThan(1)
    expect(figure('queue-length')).toBeLessThanOrEqual(8)
    expect(figure('error-rate')).toBe(0)
    expect(figure('latency-p95')).toBeLessThan(5)
    expect(figure('sum(up{job="node"})')).toBeGreaterThanOrEqual(1)
  })

  test('was recorded, so that a policy can be replayed over it', async () => {
    const policy = readPolicy(
      {
        component: 'web',
        min: 1,
        max: 9,
        target: { metric: 'requests-per-second-per-machine', value: 10 },
        targets: [
          { metric: 'cpu', value: 0.8 },
          { metric: 'latency-p95', value: 1 },
          { promql: 'sum(up{job="node"})', value: 100 },
        ],
      },
      'policy.yaml',
    )
    const client = { json: (method: string, path: string) => shop.call(method, path) } as unknown as Client
    let recorded: RecordedLoad[] = []
    const most = (name: string) => Math.max(...recorded.map(({ figures }) => figures[name] ?? 0))
    // Rates of a minute take their time to be recorded.
    await until(async () => {
      recorded = await recordedLoad(client, 'shop', [policy], '10m').catch(() => [])
      return most('cpu') > 0.01 && most('latency-p95') > 0 && most('requests-per-second') > 100
    }, 240_000)
    expect(most('sum(up{job="node"})')).toBeGreaterThanOrEqual(1)
    expect(replay(policy, recorded, { boot: 0, cost: 730 }).largest).toBe(9)
    const queue = readPolicy({ component: 'web', max: 9, target: { metric: 'queue-length', value: 1 } }, 'queue.yaml')
    await expect(recordedLoad(client, 'shop', [queue], '10m')).rejects.toThrow('does not record queue-length')
  })
})
