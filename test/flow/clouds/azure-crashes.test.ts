import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { counts, owner } from './azure-box.ts'
import { type KilledDrivers, killedDrivers, wantedKills } from './killed-drivers.ts'

let drivers: KilledDrivers

beforeAll(async () => {
  drivers = await killedDrivers()
})

afterAll(() => drivers?.close())

async function life(more: Record<string, unknown>): Promise<void> {
  const cloud = await startAzureCloud()
  try {
    const { credentials } = cloud
    const settings = { ...cloud.settings, ...more }
    const named = { kind: 'azure', ...owner, tokens: ['mac_1', 'mac_2'] } as const
    await drivers.live({ ...named, settings }, async (calls) => {
      cloud.faults.requests = []
      await cloud.world.settled()
      const before = cloud.requests.length
      cloud.faults.requests = [{ effect: 'no-answer', after: calls - 1 }]
      return { credentials, isStruck: () => cloud.requests.slice(before).some(({ unanswered }) => unanswered) }
    })
    expect(counts(cloud)).toEqual({})
    expect([...cloud.world.groups.keys()]).toEqual([])
  } finally {
    await cloud.close()
  }
}

test('azure: kill -9 of the process after each of its calls: as many machines as were asked for, and nothing left', async () => {
  const closed = { publicAddresses: false, spot: true }
  const lives = [{}, closed, { ipv6: true }, closed].map(async (settings) => {
    while (drivers.kills < wantedKills) await life(settings)
  })
  await Promise.all(lives)
  expect(drivers.kills).toBeGreaterThanOrEqual(wantedKills)
}, 600_000)
