import type { Store } from '../db/store.ts'
import { sleep } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type MachineRecord, tryMachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'

export interface LevelFirewallsOptions {
  store: Pick<Store, 'machines' | 'deployments' | 'operations'>
  reach: Reach
  log: Log
  /** Ends it. */
  signal: AbortSignal
  /** Milliseconds between two rounds; shorter in tests. */
  interval?: number
}

/** Milliseconds for a sign of life. */
const patience = 3_000

/** Milliseconds from one push for the same machines to the next: one that answers and still cannot be changed is not asked all the time. */
const pause = 60_000

/**
 * Changes the firewalls of machines that were away when that was to be done, as soon as they answer; in any number of worker processes at
 * once, because a push for the same machines is submitted once. One query a round while nobody is behind. Returns when the signal is aborted.
 */
export async function levelFirewalls({ store, reach, log, signal, interval = 5_000 }: LevelFirewallsOptions) {
  async function answers(machine: MachineRecord): Promise<boolean> {
    const access = tryMachineAccess(machine)
    if (!access) return false
    return reach.exec(access, 'true', { timeout: patience, signal }).then(
      () => true,
      () => false,
    )
  }

  async function level(deploymentId: string, machines: MachineRecord[]): Promise<void> {
    const deployment = await store.deployments.get(deploymentId)
    if (!deployment) return
    const { tenantId, name } = deployment
    const ids = machines.map(({ id }) => id)
    const idempotencyKey = `firewalls ${ids.join(' ')} ${Math.floor(Date.now() / pause)}`
    const push = { tenantId, deploymentId, deployment: name, kind: 'push' as const, request: {}, idempotencyKey }
    await store.operations.submit(push)
  }

  while (!signal.aborted) {
    try {
      const behind = await store.machines.behind()
      const alive = await Promise.all(behind.map(answers))
      const back = behind.filter((_, i) => alive[i])
      for (const deploymentId of new Set(back.map((machine) => machine.deploymentId)))
        await level(
          deploymentId,
          back.filter((machine) => machine.deploymentId === deploymentId),
        )
      await sleep(interval, signal)
    } catch (error) {
      if (signal.aborted) return
      log.warn('firewalls: a round failed, trying again', { error })
      await sleep(interval, signal).catch(() => undefined)
    }
  }
}
