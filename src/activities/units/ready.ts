import { checkHealth } from '../../lib/check-health.ts'
import { sleep } from '../../lib/clock.ts'
import { sh } from '../../lib/sh.ts'
import type { HealthCheck } from '../../model/blueprint.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import { machineAccess } from '../machine-access.ts'
import { isSettled, theMachine, type UnitWork } from '../unit-work.ts'
import { componentOf } from '../world-of.ts'

/** Milliseconds to the second look; the pauses double up to the check's own interval, because most applications are up at once. */
const firstPause = 50

/** Waits until the machine passes its component's health check, then counts it as ready with this release. */
export async function ready(work: UnitWork): Promise<void> {
  const { deps, plan } = work
  const machine = await theMachine(work)
  const component = await componentOf(work)
  if (component.health && component.port !== undefined) {
    await untilHealthy(work, machineAccess(machine), component.port, component.health)
  }
  const status = isSettled(work) ? ({ status: 'ready' } as const) : {}
  await deps.store.machines.update(machine.id, { ...status, releaseNumber: plan.release ?? null })
}

async function untilHealthy(work: UnitWork, machine: MachineAccess, port: number, health: HealthCheck): Promise<void> {
  const { deps, signal, events } = work
  const deadline = Date.now() + health.grace
  let said = ''
  for (let pause = firstPause; ; pause *= 2) {
    const wait = Math.min(pause, health.interval)
    const { ok, detail } = await checkHealth(deps.reach, { machine, port, health })
    if (ok) return
    if (detail !== said) {
      events.add({ type: 'log', data: { level: 'info', message: `${machine.name} is not healthy yet: ${detail}` } })
      said = detail
    }
    signal.throwIfAborted()
    if (Date.now() + wait > deadline) break
    await sleep(wait, signal)
  }
  throw new KitbagError('health-failed', `${machine.name} is not healthy after ${health.grace / 1_000} s: ${said}`, {
    machine: machine.name,
    output: await lastWords(work, machine),
    fix: `See its log: kitbag logs ${work.deployment.name} --component ${work.unit.component}`,
  })
}

/** The last lines that the component logged; empty when they cannot be had. */
async function lastWords({ deps, unit }: UnitWork, machine: MachineAccess): Promise<string> {
  const command = sh`journalctl --quiet --no-pager --output=cat --lines=20 --identifier=${unit.component}`
  const answer = await deps.reach.exec(machine, command, { root: true, timeout: 5_000 }).catch(() => undefined)
  return answer?.stdout.trimEnd() ?? ''
}
