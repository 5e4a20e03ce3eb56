import { mkdir } from 'node:fs/promises'
import type { Store } from '../db/store.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import type { MachineRoute, Provider } from '../providers/contract.ts'

/** Machines whose kind is remembered, before the oldest are forgotten. */
const remembered = 5_000

/** Where a machine's cloud comes into it. */
interface Place {
  fake: boolean
  cloudId?: string
  providerId?: string
}

export interface RoutedReachOptions {
  store: Pick<Store, 'machines' | 'clouds'>
  clouds: { provider(cloudId: string): Promise<Provider> }
  /** Where machines of `fake` clouds pretend to be. */
  folder: string
}

/**
 * A Reach that answers for machines of `fake` clouds by itself, and hands all others to the real one, with the way to them that their
 * cloud knows. The pretending part is loaded when the first such machine is met.
 */
export function createRoutedReach(real: Reach, { store, clouds, folder }: RoutedReachOptions): Reach {
  const places = new Map<string, Promise<Place>>()
  let pretended: Promise<Reach> | undefined

  async function find(machineId: string): Promise<Place> {
    const machine = (await store.machines.get(machineId)) ?? withoutRow(machineId)
    const cloud = machine && (await store.clouds.get(machine.cloudId))
    const { cloudId, providerId } = machine ?? {}
    return {
      fake: cloud?.provider === 'fake',
      ...(cloudId !== undefined && { cloudId }),
      ...(providerId !== undefined && { providerId }),
    }
  }

  function placeOf(machineId: string): Promise<Place> {
    const known = places.get(machineId)
    if (known) return known
    const asked = find(machineId)
    places.set(machineId, asked)
    const unsure = () => places.delete(machineId)
    // Without its cloud's own id nothing is known of the way to it yet.
    asked.then(({ fake, providerId }) => fake || providerId !== undefined || unsure(), unsure)
    for (const oldest of places.keys()) {
      if (places.size <= remembered) break
      places.delete(oldest)
    }
    return asked
  }

  async function pretend(): Promise<Reach> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return (await import('../shell/fake.ts')).createFakeReach({ folder })
  }

  async function routeOf({ cloudId, providerId }: Place): Promise<MachineRoute> {
    if (cloudId === undefined || providerId === undefined) return {}
    return (await (await clouds.provider(cloudId)).route?.(providerId)) ?? {}
  }

  async function routed<T>(machine: MachineAccess, act: (reach: Reach, machine: MachineAccess) => Promise<T>) {
    const place = await placeOf(machine.id)
    if (!place.fake) return act(real, { ...machine, ...(await routeOf(place)) })
    pretended ??= pretend()
    return act(await pretended, machine)
  }

  return {
    exec: (machine, command, options) => routed(machine, (reach, way) => reach.exec(way, command, options)),
    connectTcp: (machine, host, port) => routed(machine, (reach, way) => reach.connectTcp(way, host, port)),
    connectUnix: (machine, path) => routed(machine, (reach, way) => reach.connectUnix(way, path)),
    waitForSsh: (machine, options) => routed(machine, (reach, way) => reach.waitForSsh(way, options)),
    forget(machineId) {
      places.delete(machineId)
      real.forget(machineId)
      void pretended?.then((reach) => reach.forget(machineId))
    },
    async close() {
      await real.close()
      await (await pretended)?.close()
    },
  }
}

/** One that is looked at before it is taken in says itself where it is: activities/import names it so. */
function withoutRow(id: string): { cloudId: string; providerId: string } | undefined {
  const [, cloudId, providerId] = /^import:([^:]+):(.+)$/.exec(id) ?? []
  return cloudId !== undefined && providerId !== undefined ? { cloudId, providerId } : undefined
}
