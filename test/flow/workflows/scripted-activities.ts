import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import type { Activities, Ending, Planned } from '../../../src/activities/create-activities.ts'
import type { ErrorRecord } from '../../../src/model/errors.ts'
import type { UnitStage } from '../../../src/model/operation.ts'
import type { UnitSkeleton } from '../../../src/model/plan.ts'

/** One operation's rows, in memory, and how its units behave. */
export interface Script {
  units: UnitSkeleton[]
  undo?: UnitSkeleton[]
  /** Unit id -> what becomes of it; `until-cancelled` runs as long as it is let. */
  behaviour: Record<string, 'fail' | 'fail-once' | 'until-cancelled'>
}

export interface Rows {
  done: string[]
  failed: string[]
  /** How often the operation was planned: once per run of its workflow. */
  runs: number
  running: number
  most: number
  cancelling: boolean
  swept: boolean
  ending?: { ending: Ending; problems: ErrorRecord[] }
}

/** Activities that keep rows as the real ones do, without machines. */
export function scriptedActivities(scripts: Map<string, Script>, rows: Map<string, Rows>): Activities {
  const rowsOf = (id: string): Rows => {
    const found = rows.get(id) ?? {
      done: [],
      failed: [],
      runs: 0,
      running: 0,
      most: 0,
      cancelling: false,
      swept: false,
    }
    rows.set(id, found)
    return found
  }
  const scriptOf = (id: string): Script => scripts.get(id) ?? { units: [], behaviour: {} }
  const rest = (units: UnitSkeleton[], behind: string[]): UnitSkeleton[] => {
    const over = new Set(behind)
    return units.filter(({ id }) => !over.has(id))
  }
  const key = (stage: UnitStage, id: string) => (stage === 'undo' ? `undo:${id}` : id)
  const idsOf = (list: string[]) => list.map((id) => id.replace('undo:', ''))

  return {
    async planOperation(id): Promise<Planned> {
      const row = rowsOf(id)
      row.runs++
      if (row.ending) return { next: 'over', units: [] }
      if (row.failed.length > 0) return { next: 'undo-failed', units: [] }
      if (row.cancelling) return { next: 'undo-cancelled', units: [] }
      const units = rest(scriptOf(id).units, row.done)
      return units.length > 0 ? { next: 'units', units } : { next: 'succeeded', units: [] }
    },
    async planUndo(id) {
      const row = rowsOf(id)
      const undone = idsOf([...row.done, ...row.failed].filter((unit) => unit.startsWith('undo:')))
      const { undo } = scriptOf(id)
      return undo
        ? { next: 'units', units: rest(undo, undone), problems: [] }
        : { next: 'nothing', units: [], problems: [] }
    },
    async runUnit({ operationId, stage, unitId }) {
      const row = rowsOf(operationId)
      const behaviour = stage === 'undo' ? undefined : scriptOf(operationId).behaviour[unitId]
      row.running++
      row.most = Math.max(row.most, row.running)
      try {
        await behave(behaviour)
        row.done.push(key(stage, unitId))
      } catch (error) {
        if (!(error instanceof CancelledFailure) && behaviour === 'fail') row.failed.push(key(stage, unitId))
        throw error
      } finally {
        row.running--
      }
    },
    async loseUnit({ operationId, stage, unitId }) {
      const row = rowsOf(operationId)
      if (!row.failed.includes(key(stage, unitId))) row.failed.push(key(stage, unitId))
    },
    async sweepDeployment(id) {
      rowsOf(id).swept = true
      return []
    },
    async finishOperation(id, ending, problems) {
      rowsOf(id).ending = { ending, problems }
    },
  }
}

async function behave(behaviour: Script['behaviour'][string] | undefined): Promise<void> {
  const context = Context.current()
  if (behaviour === 'fail') throw ApplicationFailure.nonRetryable('broken', 'resource-failed')
  if (behaviour === 'fail-once' && context.info.attempt === 1)
    throw ApplicationFailure.retryable('the worker went away')
  if (behaviour !== 'until-cancelled') return
  const timer = setInterval(() => context.heartbeat(), 200)
  await context.cancelled.finally(() => clearInterval(timer))
}
