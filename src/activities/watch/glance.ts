import type { WatchGlance } from '../../db/store.ts'
import type { ResolvedService } from '../../model/blueprint.ts'
import type { MachineRecord } from '../../model/machine.ts'
import type { ActivityDeps } from '../deps.ts'

/** A deployment as it is at one moment: of overrides, sizes and those of the services that look. */
export interface Glance extends WatchGlance {
  machines: MachineRecord[]
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
export function createGlances(
  { store }: Pick<ActivityDeps, 'store'>,
  deploymentId: string,
  services: Pick<ResolvedService, 'name'>[],
): Glances {
  let last: { at: number; reading: Promise<Glance | undefined> } | undefined
  const scopes = ['scale', ...services.map(({ name }) => name)]

  async function read(): Promise<Glance | undefined> {
    const glance = await store.watches.glance(deploymentId, scopes)
    return glance && { ...glance, machines: await store.machines.list(deploymentId) }
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
