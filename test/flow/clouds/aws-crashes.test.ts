import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import type { AwsSettings } from '../../../src/providers/aws/settings.ts'
import type { FirewallRule } from '../../../src/providers/contract.ts'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { until } from '../../support/until.ts'
import { type AwsConnection, connectAws, make } from './aws-box.ts'

const rules: Record<string, FirewallRule[]> = {
  web: [{ protocol: 'tcp', from: 80, to: 80, sources: [{ network: '0.0.0.0/0' }] }],
  db: [{ protocol: 'tcp', from: 5432, to: 5432, sources: [{ component: 'web' }] }],
}

/** A deployment's life as its operations go through it; each step may be begun again. */
function life(one: AwsConnection, deployment: string, tokens: string[]) {
  const { provider, installation } = one
  const listed = () => provider.listMachines({ tags: { installation } })
  return [
    () => provider.secure?.({ installation, deployment }, rules),
    async () => {
      const components = ['web', 'db']
      await Promise.all(tokens.map((token, i) => make(one, { deployment, token, component: components[i] ?? '' })))
      expect((await listed()).map(({ tags }) => tags.machine).sort()).toEqual([...tokens].sort())
    },
    async () => {
      const web = (await listed()).find(({ name }) => name === 'web-1')
      const owner = { installation, deployment }
      await until(async () => (await provider.getMachine(web?.id ?? ''))?.status === 'running', 60_000)
      await provider.staticAddresses?.assign(owner, 'web-1', web?.id ?? '')
      expect(await provider.staticAddresses?.list(installation)).toHaveLength(1)
    },
    async () => {
      await Promise.all((await listed()).map(({ id }) => provider.destroyMachine(id)))
      expect(await listed()).toEqual([])
    },
    () => provider.release?.({ installation, deployment }),
  ]
}

/** Calls between two deaths; `KITBAG_TEST_EVERY_CALL=1` has one after each. */
const every = process.env.KITBAG_TEST_EVERY_CALL ? 1 : 4

/** With what takes most calls. */
const settings: Partial<AwsSettings> = { network: { own: '10.40.0.0/16' }, ipv6: true }

describe('aws: the control plane dies after any of its calls', () => {
  let cloud: Ec2Cloud

  beforeAll(async () => {
    cloud = await startEc2Cloud()
  })
  afterAll(() => cloud?.close())

  const connect = async (installation: string, accessKeyId: string) => {
    const own = { installation, settings, credentials: { ...credentials, accessKeyId } }
    return connectAws(cloud, own)
  }

  /** Whether it died before its end. The next one takes up at the step where it was. */
  async function diesAfter(calls: number): Promise<boolean> {
    const [installation, deployment, tokens] = [newId('ins'), newId('dep'), [newId('mac'), newId('mac')]]
    const key = `AKIADIES${calls}`
    const first = await connect(installation, key)
    await first.provider.catalog()
    cloud.dies(key, calls)
    let step = 0
    let over = false
    const steps = life(first, deployment, tokens)
    const living = async () => {
      for (; step < steps.length; step++) await steps[step]?.()
      over = true
    }
    const lived = living()
    let failure: unknown
    lived.catch((error) => {
      failure = error
    })
    await until(() => over || failure !== undefined || cloud.isDead(key), 120_000)
    if (failure !== undefined && !cloud.isDead(key)) throw failure
    if (!over) {
      const second = life(await connect(installation, credentials.accessKeyId), deployment, tokens)
      for (const again of second.slice(step)) await again()
    }
    const { provider } = await connect(installation, credentials.accessKeyId)
    expect(await provider.residue?.(installation), `after call ${calls}`).toEqual([])
    expect(await provider.staticAddresses?.list(installation), `after call ${calls}`).toEqual([])
    return !over
  }

  test('what was begun is taken up: as many machines as were asked for, and nothing left', async () => {
    const together = 8
    for (let calls = 1; ; calls += together * every) {
      const died = await Promise.all(Array.from({ length: together }, (_, i) => diesAfter(calls + i * every)))
      if (!died.includes(true)) break
      // A life has fewer.
      expect(calls).toBeLessThan(200)
    }
    expect(cloud.complaints).toEqual([])
  }, 300_000)
})
