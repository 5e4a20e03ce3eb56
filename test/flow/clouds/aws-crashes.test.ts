import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import type { AwsSettings } from '../../../src/providers/aws/settings.ts'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { connectAws } from './aws-box.ts'
import { type KilledDrivers, killedDrivers, wantedKills } from './killed-drivers.ts'

describe('aws: kill -9 of the process after each of its calls', () => {
  let cloud: Ec2Cloud
  let drivers: KilledDrivers

  beforeAll(async () => {
    ;[cloud, drivers] = await Promise.all([startEc2Cloud(), killedDrivers()])
  })
  afterAll(async () => {
    await drivers?.close()
    await cloud?.close()
  })

  let processes = 0
  async function life(settings: Partial<AwsSettings>): Promise<void> {
    const [installation, deployment] = [newId('ins'), newId('dep')]
    const named = { kind: 'aws', installation, deployment, tokens: [newId('mac'), newId('mac')] } as const
    await drivers.live({ ...named, settings: { ...cloud.settings, ...settings } }, async (calls) => {
      const accessKeyId = `AKIAPROCESS${++processes}`
      cloud.dies(accessKeyId, calls)
      return { credentials: { ...credentials, accessKeyId }, isStruck: () => cloud.isDead(accessKeyId) }
    })
    const { provider } = await connectAws(cloud, { installation })
    expect(await provider.residue?.(installation)).toEqual([])
    expect(await provider.staticAddresses?.list(installation)).toEqual([])
  }

  test('what was begun is taken up: as many machines as were asked for, and nothing left', async () => {
    const own = { network: { own: '10.40.0.0/16' } }
    const kinds: Partial<AwsSettings>[] = [own, {}, { ...own, ipv6: true }, { spot: true }]
    const lives = kinds.map(async (settings) => {
      while (drivers.kills < wantedKills) await life(settings)
    })
    await Promise.all(lives)
    expect(cloud.complaints).toEqual([])
    expect(drivers.kills).toBeGreaterThanOrEqual(wantedKills)
  }, 600_000)
})
