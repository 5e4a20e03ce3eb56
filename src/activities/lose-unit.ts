import type { ActivityDeps } from './deps.ts'
import { heartbeating } from './heartbeat.ts'
import type { UnitInput } from './run-unit.ts'

/** Marks a unit failed that reached a time limit, or whose worker never came back; one that ended otherwise stays as it is. */
export function loseUnit({ store }: ActivityDeps, { operationId, stage, unitId }: UnitInput): Promise<void> {
  return heartbeating(async () => {
    const units = await store.operations.units(operationId)
    const unit = units.find((row) => row.stage === stage && row.id === unitId)
    if (!unit || unit.status === 'done' || unit.status === 'failed') return
    const message = `${unitId} did not end within its time`
    const error = { code: 'internal', message, machine: unit.machine } as const
    await store.operations.setUnit(operationId, stage, unitId, { status: 'failed', error })
  })
}
