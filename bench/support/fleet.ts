import { randomUUID } from 'node:crypto'
import { createLog } from '../../src/lib/log.ts'
import { cacheFolder } from '../../src/main/paths.ts'
import { type MachineAccess, type MachineRequirements, preferredAddress } from '../../src/model/machine.ts'
import type { Reach } from '../../src/model/reach.ts'
import { providers } from '../../src/providers/index.ts'
import { generateKeyPair } from '../../src/shell/keys.ts'
import { createReach } from '../../src/shell/reach.ts'
import type { Bench } from './bench.ts'
import { freshHome } from './plane.ts'

/** As small as blueprints have them when they say nothing. */
export const smallMachine: MachineRequirements = { cpu: 1, memory: 512 * 2 ** 20, image: 'debian-13' }

/** Local machines without a control plane: what is done by hand is done on these. */
export interface Fleet {
  /** The same transport that Kitbag's activities use. */
  reach: Reach
  /** Makes a machine and returns when it answers SSH. */
  boot(name: string, requirements?: MachineRequirements): Promise<MachineAccess>
  destroy(machines: MachineAccess[]): Promise<void>
}

/** Its machines are destroyed by the cleanup at the latest. */
export async function createFleet({ cleanup, signal }: Bench): Promise<Fleet> {
  const home = freshHome(cleanup)
  const log = createLog({ level: 'error' })
  const installation = `ins_bench${randomUUID().slice(0, 8)}`
  const driver = await providers.local()
  const provider = await driver.connect(
    { name: 'bench', settings: {}, credentials: {} },
    { installation, home, cache: cacheFolder(), log: (level, message, data) => log[level](message, data) },
  )
  const login = generateKeyPair('kitbag bench')
  const reach = createReach({ privateKey: login.privateKey, log })
  const making = new Set<Promise<unknown>>()
  cleanup.add('connections', () => reach.close())
  cleanup.add('machines', async () => {
    await Promise.allSettled(making)
    const machines = await provider.listMachines({ tags: { installation } })
    await Promise.all(machines.map(({ id }) => provider.destroyMachine(id)))
    const left = await provider.residue?.(installation)
    if (left?.length) throw new Error(`left on the box: ${left.join(', ')}`)
  })

  async function make(name: string, requirements: MachineRequirements): Promise<MachineAccess> {
    signal.throwIfAborted()
    const hostKey = generateKeyPair(name)
    const spec = await provider.resolve(requirements, { ordinal: 1 })
    const made = await provider.createMachine(
      { name, spec, hostKey, authorizedKeys: [login.publicKey], component: 'web' },
      { token: randomUUID(), tags: { installation, deployment: 'bench', machine: name } },
    )
    const address = preferredAddress(made.addresses)?.address ?? ''
    const { id, user, sshPort: port } = made
    return { id, name, address, port, user, hostKey: hostKey.publicKey }
  }

  return {
    reach,
    async boot(name, requirements = smallMachine) {
      const attempt = make(name, requirements)
      making.add(attempt)
      const machine = await attempt
      await reach.waitForSsh(machine, { timeout: 60_000, signal })
      return machine
    },
    async destroy(machines) {
      await Promise.all(
        machines.map(async ({ id }) => {
          reach.forget(id)
          await provider.destroyMachine(id)
        }),
      )
    },
  }
}

/** Runs a script as root on a machine, as one exec over its open connection. Throws with its last words on any status but 0. */
export async function runScript(reach: Reach, machine: MachineAccess, script: string): Promise<string> {
  const { status, stdout, stderr } = await reach.exec(machine, 'sh', { root: true, stdin: script })
  if (status !== 0) throw new Error(`${machine.name}: status ${status}: ${(stderr || stdout).trim().slice(-500)}`)
  return stdout
}
