import { mkdir } from 'node:fs/promises'
import type { Store } from '../db/store.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'

/** Machines whose kind is remembered, before the oldest are forgotten. */
const remembered = 5_000

/**
 * A Reach that answers for machines of `fake` clouds by itself, and hands all others to the real one. The pretending part is loaded
 * when the first such machine is met.
 */
export function createRoutedReach(real: Reach, store: Pick<Store, 'machines' | 'clouds'>, folder: string): Reach {
  const kinds = new Map<string, Promise<boolean>>()
  let pretended: Promise<Reach> | undefined

  async function isFake(machineId: string): Promise<boolean> {
    const machine = await store.machines.get(machineId)
    const cloud = machine && (await store.clouds.get(machine.cloudId))
    return cloud?.provider === 'fake'
  }

  function kindOf(machineId: string): Promise<boolean> {
    const known = kinds.get(machineId)
    if (known) return known
    const asked = isFake(machineId)
    kinds.set(machineId, asked)
    asked.catch(() => kinds.delete(machineId))
    for (const oldest of kinds.keys()) {
      if (kinds.size <= remembered) break
      kinds.delete(oldest)
    }
    return asked
  }

  async function pretend(): Promise<Reach> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return (await import('../shell/fake.ts')).createFakeReach({ folder })
  }

  async function reachFor(machine: MachineAccess): Promise<Reach> {
    if (!(await kindOf(machine.id))) return real
    pretended ??= pretend()
    return pretended
  }

  return {
    exec: async (machine, command, options) => (await reachFor(machine)).exec(machine, command, options),
    connectTcp: async (machine, host, port) => (await reachFor(machine)).connectTcp(machine, host, port),
    connectUnix: async (machine, path) => (await reachFor(machine)).connectUnix(machine, path),
    waitForSsh: async (machine, options) => (await reachFor(machine)).waitForSsh(machine, options),
    forget(machineId) {
      kinds.delete(machineId)
      real.forget(machineId)
      void pretended?.then((reach) => reach.forget(machineId))
    },
    async close() {
      await real.close()
      await (await pretended)?.close()
    },
  }
}
