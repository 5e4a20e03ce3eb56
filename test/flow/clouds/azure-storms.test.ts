import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sleep } from '../../../src/lib/clock.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import type { Fault } from '../../clouds/azure/faults.ts'
import { fastClock } from '../../support/fast-clock.ts'
import { asUnit } from './as-unit.ts'
import { counts, make, owner } from './azure-box.ts'

const minute = 60_000

describe('azure: what lasts a minute', () => {
  let cloud: AzureCloud
  let provider: Provider
  let restoreClock = () => {}

  beforeEach(async () => {
    cloud = await startAzureCloud()
    provider = await connectTo(cloud)
    await provider.catalog()
    restoreClock = fastClock(20)
  })
  afterEach(async () => {
    restoreClock()
    cloud.faults.requests = []
    await provider.release?.(owner)
    expect(counts(cloud)).toEqual({})
    expect([...cloud.world.groups.keys()]).toEqual([])
    await cloud.close()
  })

  const storm = async (fault: Fault) => {
    cloud.faults.requests = [fault]
    await sleep(minute)
    cloud.faults.requests = []
  }
  const five = () =>
    Promise.all(
      [1, 2, 3, 4, 5].map((ordinal) =>
        asUnit('create', async () => (await make(provider, { ordinal, token: `mac_${ordinal}` })).id),
      ),
    )

  test.each([
    ['429', 'throttled'],
    ['503', 'unavailable'],
  ] as const)('a storm of %s: five machines are made, and then go, in spite of two of them', async (_, effect) => {
    const creating = storm({ effect })
    const made = await five()
    await creating
    expect(counts(cloud)).toMatchObject({ virtualMachines: 5, networkInterfaces: 5, disks: 5, publicIPAddresses: 5 })
    const destroying = storm({ effect })
    await Promise.all(made.map((id) => asUnit('destroy', () => provider.destroyMachine(id))))
    await destroying
  })

  test('reads that are a minute behind: machines are waited for, not made again', async () => {
    const late = storm({ effect: 'not-yet', method: 'GET', path: '/virtualMachines/' })
    const made = await five()
    await late
    const asked = cloud.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/virtualMachines/'))
    expect(asked).toHaveLength(5)
    expect(counts(cloud)).toMatchObject({ virtualMachines: 5, networkInterfaces: 5, disks: 5 })
    await Promise.all(made.map((id) => asUnit('destroy', () => provider.destroyMachine(id))))
  })

  test('a machine that is removed before it was ever read: said within minutes, not waited for', async () => {
    const remove = setInterval(() => {
      for (const { id } of cloud.world.list('Microsoft.Compute/virtualMachines')) cloud.world.remove(id)
    }, 1)
    const unseen = storm({ effect: 'not-yet', method: 'GET', path: '/virtualMachines/' })
    const made = make(provider, { ordinal: 1, token: 'mac_1' })
    await expect(made).rejects.toThrow('was removed while it was being created')
    await unseen
    clearInterval(remove)
    await cloud.world.settled()
  })
})
