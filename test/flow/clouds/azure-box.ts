import { backoff, retry } from '../../../src/lib/retry.ts'
import { newId } from '../../../src/model/ids.ts'
import type { CreateMachineRequest, Provider, ProviderMachine } from '../../../src/providers/contract.ts'
import type { AzureCloud } from '../../clouds/azure/azure-cloud.ts'

export const hostKey = {
  privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nthe host key\n-----END OPENSSH PRIVATE KEY-----\n',
  publicKey: 'ssh-ed25519 AAAA host',
}

export const owner = { installation: 'ins_one', deployment: 'dep_one' }

export interface Wanted {
  name?: string
  component?: string
  token?: string
  ordinal?: number
  zones?: string[]
  deployment?: string
  image?: string
  /** GiB. */
  disk?: number
}

/** Asks for one machine as the create unit does. */
export async function make(provider: Provider, wanted: Wanted = {}): Promise<ProviderMachine> {
  const { component = 'web', ordinal = 1, token = newId('mac'), zones, deployment = owner.deployment } = wanted
  const { image = 'debian-13', disk } = wanted
  const requirements = { cpu: 1, memory: 512 * 2 ** 20, image, ...(disk !== undefined && { disk: disk * 2 ** 30 }) }
  const spec = await provider.resolve(requirements, { ordinal, ...(zones && { zones }) })
  const name = wanted.name ?? `${component}-${ordinal}`
  const request: CreateMachineRequest = { name, spec, hostKey, authorizedKeys: ['ssh-ed25519 BBBB login'], component }
  return provider.createMachine(request, { token, tags: { ...owner, deployment, machine: token } })
}

/** As callers do with what is retryable. */
export function patiently<T>(call: () => Promise<T>): Promise<T> {
  return retry(call, { attempts: 30, delay: backoff(20, 200) })
}

/** How many there are at the cloud, by the last word of their type. */
export function counts({ world }: AzureCloud): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { type } of world.resources.values()) {
    const word = type.slice(type.indexOf('/') + 1)
    found[word] = (found[word] ?? 0) + 1
  }
  return found
}

/** Destroys every machine, then what they shared. */
export async function clear(provider: Provider): Promise<void> {
  const machines = await patiently(() => provider.listMachines({ tags: owner }))
  await Promise.all(machines.map(({ id }) => patiently(() => provider.destroyMachine(id))))
  await patiently(() => provider.release?.(owner) ?? Promise.resolve())
}
