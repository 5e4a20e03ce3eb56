import type { WatchGlance } from '../../db/store.ts'
import type { MachineRecord } from '../../model/machine.ts'
import type { ActivityDeps } from '../deps.ts'
import type { AllOverrides } from '../overrides-for.ts'

/** A deployment as it is at one moment. */
export interface Glance extends WatchGlance {
  machines: MachineRecord[]
  overrides: AllOverrides
}

export interface Glances {
  /** undefined: the deployment is gone. */
  now(): Promise<Glance | undefined>
  /** What was read is over: something was changed just now. */
  forget(): void
}

/** Milliseconds for which one reading serves all who ask. */
const shared = 500

/** Reads a deployment for its looks; those at the same time share one reading. */
export function createGlances({ store }: Pick<ActivityDeps, 'store'>, deploymentId: string): Glances {
  let last: { at: number; reading: Promise<Glance | undefined> } | undefined

  async function read(): Promise<Glance | undefined> {
    const glance = await store.watches.glance(deploymentId)
    if (!glance) return undefined
    const [machines, overrides] = await Promise.all([
      store.machines.list(deploymentId),
      store.overrides.list(deploymentId),
    ])
    return { ...glance, machines, overrides }
  }

  return {
    now() {
      if (!last || Date.now() - last.at > shared) last = { at: Date.now(), reading: read() }
      return last.reading
    },
    forget() {
      last = undefined
    },
  }
}
