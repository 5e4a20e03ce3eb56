import type { z } from 'zod'
import type { Store } from '../db/store.ts'
import { nearest } from '../lib/nearest.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Capabilities, Provider, ProviderDriver, ProviderEnvironment } from '../providers/contract.ts'
import { providers } from '../providers/index.ts'
import { type SweepReport, sweepClouds } from './sweep-clouds.ts'

export interface CloudsOptions {
  store: Pick<Store, 'clouds' | 'machines' | 'deployments' | 'installation'>
  environment: ProviderEnvironment
  /** Drivers by kind; tests bring their own. */
  drivers?: Record<string, () => Promise<ProviderDriver>>
}

/** The connected clouds: one provider per cloud record, made at its first use. */
export interface Clouds {
  /** Throws `not-found`. */
  provider(cloudId: string): Promise<Provider>
  /** What its driver can do. Throws `not-found`. */
  capabilities(cloudId: string): Promise<Capabilities>
  /** Checks a new cloud's settings and credentials; gives them back with defaults. Throws `invalid-request`. */
  validate(
    kind: string,
    settings: JsonObject,
    credentials: JsonObject,
  ): Promise<{ settings: JsonObject; credentials: JsonObject }>
  test(cloudId: string): Promise<{ name: string; ok: boolean; detail: string }[]>
  /** What is at the clouds beyond what the database knows; with `remove` it is destroyed. */
  sweep(options: { remove: boolean; tenantId: string }): Promise<SweepReport>
  /** Takes over what a former process left running, at every cloud. Call once at start. A cloud that cannot is logged and passed over. */
  adopt(tenantId: string): Promise<void>
  /** Makes ready what takes long for a kind of provider. Throws `prerequisite-missing`. */
  prepare(
    kind: string,
    options: { images: string[]; onProgress: (step: string, detail: string) => void },
  ): Promise<void>
}

export function createClouds({ store, environment, drivers = providers }: CloudsOptions): Clouds {
  const connected = new Map<string, Promise<Provider>>()

  const driverOf = async (kind: string): Promise<ProviderDriver> => {
    const load = Object.hasOwn(drivers, kind) ? drivers[kind] : undefined
    if (load) return load()
    throw unknownKind(kind, Object.keys(drivers).sort())
  }
  const cloudOf = async (cloudId: string) => {
    const cloud = await store.clouds.get(cloudId)
    if (!cloud) throw new KitbagError('not-found', `there is no cloud ${cloudId} (any more)`)
    return cloud
  }
  const connect = async (cloudId: string): Promise<Provider> => {
    const cloud = await cloudOf(cloudId)
    const { name, settings, credentials } = cloud
    return (await driverOf(cloud.provider)).connect({ name, settings, credentials }, environment)
  }
  const provider = (cloudId: string): Promise<Provider> => {
    const known = connected.get(cloudId)
    if (known) return known
    const connecting = connect(cloudId)
    connected.set(cloudId, connecting)
    connecting.catch(() => connected.delete(cloudId))
    return connecting
  }

  return {
    provider,
    capabilities: async (cloudId) => (await driverOf((await cloudOf(cloudId)).provider)).capabilities,
    async validate(kind, settings, credentials) {
      const driver = await driverOf(kind)
      const problems: Problem[] = []
      const checked = {
        settings: parse(driver.settings, settings, 'settings', problems),
        credentials: parse(driver.credentials, credentials, 'credentials', problems),
      }
      if (problems.length === 0) return checked
      const [first] = problems
      throw new KitbagError('invalid-request', `cloud of provider ${kind}: ${first?.path}: ${first?.message}`, {
        problems,
      })
    },
    async test(cloudId) {
      return (await provider(cloudId)).test()
    },
    async sweep({ remove, tenantId }) {
      const all = await store.clouds.list(tenantId)
      const open = await Promise.all(all.map(async ({ id, name }) => ({ name, provider: await provider(id) })))
      return sweepClouds(open, store, remove)
    },
    async adopt(tenantId) {
      for (const { id, name } of await store.clouds.list(tenantId)) {
        try {
          await (await provider(id)).adopt?.()
        } catch (error) {
          // One cloud that is away must not keep the others' machines from being taken over.
          const { message } = error as Error
          environment.log('error', `the machines of cloud ${name} could not be taken over: ${message}`)
        }
      }
    },
    async prepare(kind, options) {
      await (await driverOf(kind)).prepare?.(environment, options)
    },
  }
}

function unknownKind(kind: string, known: string[]): KitbagError {
  const near = nearest(kind, known)
  const problem: Problem = { path: 'provider', message: 'unknown provider', found: kind, allowed: known }
  return new KitbagError('invalid-request', `there is no provider ${kind}; known: ${known.join(', ')}`, {
    problems: [{ ...problem, ...(near !== undefined && { nearest: near }) }],
    ...(near !== undefined && { fix: `Did you mean ${near}?` }),
  })
}

function parse(schema: z.ZodType, value: JsonObject, at: string, problems: Problem[]): JsonObject {
  const result = schema.safeParse(value)
  if (result.success) return result.data as JsonObject
  for (const { path, message } of result.error.issues) problems.push({ path: [at, ...path].join('.'), message })
  return {}
}
