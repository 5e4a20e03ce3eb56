import { z } from 'zod'
import { KitbagError } from '../../src/model/errors.ts'
import type {
  Capabilities,
  CreateMachineRequest,
  MachineTags,
  Provider,
  ProviderDriver,
  ProviderMachine,
} from '../../src/providers/contract.ts'

const noTags = { installation: '', deployment: '', machine: '' }

type Machine = ProviderMachine & { token: string }

/** Which provider call; `phase` says whether its effect has happened. A hook that throws makes the call fail there. */
export type CloudHook = (call: keyof Provider, phase: 'before' | 'after', name: string) => void | Promise<void>

export interface MemoryCloud {
  provider: Provider
  /** For `createClouds({ drivers })`: every cloud record of kind `memory` is this cloud. */
  drivers: Record<string, () => Promise<ProviderDriver>>
  machines: Map<string, Machine>
  /** Machines ever made; more than there should be means that a token made two. */
  made: number
  hook?: CloudHook | undefined
  /** Of its driver; changed from outside it holds from then on. */
  capabilities: Capabilities
}

/** A cloud in memory with calls that can be made to fail, also after they took effect. */
export function memoryCloud(): MemoryCloud {
  const machines = new Map<string, Machine>()
  let next = 0
  const during = async <T>(call: keyof Provider, name: string, effect: () => T): Promise<T> => {
    await cloud.hook?.(call, 'before', name)
    const result = effect()
    await cloud.hook?.(call, 'after', name)
    return result
  }
  const create = ({ name }: CreateMachineRequest, { token, tags }: { token: string; tags: MachineTags }): Machine => {
    const known = [...machines.values()].find((machine) => machine.token === token)
    if (known) return known
    cloud.made++
    const number = ++next
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
    const addresses = [{ address, family: 4 as const, scope: 'private' as const, network: 'memory' }]
    const machine: Machine = {
      id: `m-${number}`,
      name,
      tags,
      token,
      status: 'running',
      addresses,
      user: 'debian',
      sshPort: 22,
    }
    machines.set(machine.id, machine)
    return machine
  }
  const provider: Provider = {
    catalog: async () => ({
      regions: [{ id: 'here', zones: [] }],
      images: [{ word: 'debian-13', id: 'img-13' }],
      sizes: [],
    }),
    resolve: async (requirements) => ({ size: 'any', image: 'img-13', region: 'here', requirements }),
    createMachine: (request, identity) => during('createMachine', request.name, () => create(request, identity)),
    getMachine: (id) => during('getMachine', machines.get(id)?.name ?? id, () => machines.get(id)),
    listMachines: ({ tags }) =>
      during('listMachines', '', () =>
        [...machines.values()].filter((machine) =>
          Object.entries(tags).every(([key, value]) => machine.tags[key as keyof MachineTags] === value),
        ),
      ),
    destroyMachine: (id) => during('destroyMachine', machines.get(id)?.name ?? id, () => void machines.delete(id)),
    letGo: (id) =>
      during('letGo', machines.get(id)?.name ?? id, () => {
        const machine = machines.get(id)
        if (machine) machine.tags = noTags
      }),
    marks: {
      find: async (query) => {
        const found = 'id' in query ? machines.get(query.id) : undefined
        if (!found) return []
        const { id, name, status, addresses, tags } = found
        const key = { hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE' }
        return [{ id, name, status, addresses, ...key, ...(tags.installation !== '' && { tags }) }]
      },
      put: (id, { name, tags }) =>
        during('marks', name, () => {
          const machine = machines.get(id)
          if (machine) Object.assign(machine, { name, tags, imported: true })
        }),
    },
    test: async () => [],
    residue: async () => [],
  }
  const capabilities: Capabilities = {
    images: ['debian-13'],
    userData: true,
    fractionalCpu: true,
    zones: false,
    floatingAddress: false,
    imports: true,
  }
  const driver: ProviderDriver = {
    kind: 'memory',
    summary: 'In memory',
    capabilities,
    settings: z.object({}),
    credentials: z.object({}),
    connect: async () => provider,
  }
  const cloud: MemoryCloud = { provider, drivers: { memory: async () => driver }, machines, made: 0, capabilities }
  return cloud
}

/** What a call whose answer was lost ends with. */
export function timedOut(call: string): KitbagError {
  return new KitbagError('provider-failed', `${call}: no answer within 10 s`, { retryable: true })
}
