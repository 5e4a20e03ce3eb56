import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Store } from '../db/store.ts'
import { nearest } from '../lib/nearest.ts'
import { KitbagError, type Problem } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import type { SweepReport } from '../model/sweep.ts'
import type { Capabilities, Provider, ProviderDriver, ProviderEnvironment } from '../providers/contract.ts'
import { providers } from '../providers/index.ts'
import { sweepClouds } from './sweep-clouds.ts'

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
  /** Throws `conflict` when machines of the cloud keep it from having these settings. */
  refuseChange(cloudId: string, to: { settings: JsonObject }): Promise<void>
  /** Its record is another one, in force in this process at once, and in others within 2 s. */
  changed(cloudId: string): void
  test(cloudId: string): Promise<Finding[]>
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

interface Connected {
  /** Settings and credentials that it was made with. */
  from: string
  provider: Provider
}

/** Milliseconds after which a cloud's record is read again: another process may have changed it. */
const fresh = 2_000

export function createClouds({ store, environment, drivers = providers }: CloudsOptions): Clouds {
  const connected = new Map<string, { at: number; connecting: Promise<Connected> }>()

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
  const connect = async (cloudId: string, last?: Connected): Promise<Connected> => {
    const { provider: kind, name, settings, credentials } = await cloudOf(cloudId)
    const from = JSON.stringify([settings, credentials])
    if (last?.from === from) return last
    return { from, provider: await (await driverOf(kind)).connect({ name, settings, credentials }, environment) }
  }
  const provider = async (cloudId: string): Promise<Provider> => {
    let known = connected.get(cloudId)
    if (!known || Date.now() - known.at > fresh) {
      const last = await known?.connecting.catch(() => undefined)
      const renewed = { at: Date.now(), connecting: connect(cloudId, last) }
      renewed.connecting.catch(() => connected.get(cloudId) === renewed && connected.delete(cloudId))
      connected.set(cloudId, renewed)
      known = renewed
    }
    return (await known.connecting).provider
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
    async refuseChange(cloudId, { settings: after }) {
      const { name, provider: kind, settings: before } = await cloudOf(cloudId)
      const all = await store.machines.listAll()
      const ids = all.flatMap((machine) => (machine.cloudId === cloudId ? [machine.providerId ?? ''] : []))
      if (ids.length === 0 || isDeepStrictEqual(before, after)) return
      const { refuseChange = () => 'it has machines, which were made with the settings that it has' } =
        await driverOf(kind)
      const reason = refuseChange({ before, after }, ids)
      if (reason !== undefined)
        throw new KitbagError('conflict', `cloud ${name} keeps its settings: ${reason}`, {
          fix: 'Destroy the deployments that use it first, or connect another cloud.',
        })
    },
    changed(cloudId) {
      connected.delete(cloudId)
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
