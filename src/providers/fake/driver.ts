import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { KitbagError } from '../../model/errors.ts'
import type { Provider, ProviderDriver, ProviderMachine } from '../contract.ts'
import { createMachineFiles } from './machine-files.ts'

/** Faults on demand; rates from 0 to 1. */
const settingsSchema = z.strictObject({
  /** Milliseconds that every call takes. */
  latency: z.number().min(0).max(60_000).default(0),
  /** Calls that take effect and then time out. */
  timeoutRate: z.number().min(0).max(1).default(0),
  /** Calls that fail before any effect; may be repeated. */
  failureRate: z.number().min(0).max(1).default(0),
  /** Machines at most; the next one is refused for lack of capacity. */
  capacity: z.int().min(0).default(100_000),
})
type Settings = z.infer<typeof settingsSchema>
const nothing = z.strictObject({})

/** Not real: machines are files below KITBAG_HOME, so that they outlive a killed worker as real ones would. For tests. */
export const driver: ProviderDriver<Settings, z.infer<typeof nothing>> = {
  kind: 'fake',
  summary: 'Not real: machines that exist as files only, with faults on demand, for tests',
  capabilities: { images: ['debian-12', 'debian-13'], userData: true, fractionalCpu: true, zones: false },
  settings: settingsSchema,
  credentials: nothing,
  connect: async ({ name, settings }, { home }) => connect(name, settings, join(home, 'fake', name)),
}

function connect(cloud: string, settings: Settings, folder: string): Provider {
  const files = createMachineFiles(folder)

  /** Around each call: latency, then a failure before or a time-out after its effect. */
  async function faulty<T>(call: () => Promise<T>): Promise<T> {
    const { latency, failureRate, timeoutRate } = settings
    if (latency > 0) await wait(latency)
    if (Math.random() < failureRate)
      throw new KitbagError('provider-failed', `${cloud}: the call failed (fake)`, { retryable: true })
    const result = await call()
    if (Math.random() < timeoutRate)
      throw new KitbagError('provider-failed', `${cloud}: the call timed out (fake)`, { retryable: true })
    return result
  }

  return {
    catalog: async () => ({
      regions: [],
      images: driver.capabilities.images.map((word) => ({ word, id: word })),
      sizes: [],
    }),
    async resolve(requirements, { region }) {
      const { images } = driver.capabilities
      if (!images.includes(requirements.image)) {
        throw new KitbagError(
          'not-supported',
          `${cloud} has no image ${requirements.image}; it has: ${images.join(', ')}`,
        )
      }
      return { size: 'fake', image: requirements.image, requirements, ...(region !== undefined && { region }) }
    },
    createMachine: ({ name }, { token, tags }) =>
      faulty(async () => {
        const id = `fake-${createHash('sha256').update(token).digest('hex').slice(0, 16)}`
        const known = await files.read(id)
        if (known) return known
        if ((await files.all()).length >= settings.capacity)
          throw new KitbagError('capacity-exceeded', `${cloud} has no room for more machines (fake)`)
        const machine: ProviderMachine = {
          id,
          name,
          tags,
          status: 'running',
          user: 'debian',
          sshPort: 22,
          addresses: [{ address: addressOf(id), family: 4, scope: 'private', network: cloud }],
        }
        await files.write(machine)
        return machine
      }),
    getMachine: (id) => faulty(() => files.read(id)),
    listMachines: ({ tags }) =>
      faulty(async () =>
        (await files.all()).filter((machine) =>
          Object.entries(tags).every(([key, value]) => machine.tags[key as keyof typeof machine.tags] === value),
        ),
      ),
    destroyMachine: (id) => faulty(() => files.remove(id)),
    test: async () => [{ name: 'fake', ok: true, detail: 'nothing can be missing' }],
  }
}

/** An address of the range for documentation of networks behind carriers (RFC 6598), where nothing answers. */
function addressOf(id: string): string {
  const [a = 0, b = 0, c = 0] = createHash('sha256').update(id).digest()
  return `100.${64 + (a % 64)}.${b}.${1 + (c % 254)}`
}
