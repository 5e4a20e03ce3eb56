import { and, asc, eq, sql } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import type { UnitRecord, UnitStage, UnitStatus } from '../model/operation.ts'
import type { Plan } from '../model/plan.ts'
import type { Database } from './database.ts'
import { storable } from './failures.ts'
import { appendEventsIn } from './operation-events.ts'
import { operations, operationUnits } from './schema.ts'
import type { OperationStore } from './store.ts'

type Row = typeof operationUnits.$inferSelect

function toRecord({ operationId: _, ...record }: Row): UnitRecord {
  return record
}

/** What a change of status does to the other columns. */
function changesOf(status: UnitStatus) {
  if (status === 'running') {
    return { attempts: sql`${operationUnits.attempts} + 1`, startedAt: sql`now()`, finishedAt: null, error: null }
  }
  return status === 'pending' ? { startedAt: null, finishedAt: null, error: null } : { finishedAt: sql`now()` }
}

function eventData({ id, stage, kind, machine, status, startedAt, finishedAt, error }: Row): Record<string, unknown> {
  const seconds = startedAt && finishedAt ? (finishedAt.getTime() - startedAt.getTime()) / 1000 : undefined
  return {
    id,
    kind,
    machine,
    status,
    ...(stage === 'undo' && { stage }),
    ...(seconds !== undefined && { seconds }),
    ...(error && { error }),
  }
}

export function createUnitStore(db: Database): Pick<OperationStore, 'savePlan' | 'plan' | 'units' | 'setUnit'> {
  const columnOf = (stage: UnitStage) => (stage === 'main' ? operations.plan : operations.undoPlan)

  async function storedPlan(from: Database, id: string, stage: UnitStage, lock: boolean): Promise<Plan | null> {
    const query = from
      .select({ plan: columnOf(stage) })
      .from(operations)
      .where(eq(operations.id, id))
    const [row] = lock ? await query.for('update') : await query
    if (!row) throw new KitbagError('not-found', `no operation ${id}`)
    return row.plan
  }

  return {
    async savePlan(id, stage, plan) {
      return db.transaction(async (tx) => {
        const stored = await storedPlan(tx, id, stage, true)
        if (stored) return stored
        await tx
          .update(operations)
          .set(stage === 'main' ? { plan } : { undoPlan: plan })
          .where(eq(operations.id, id))
        await tx.execute(sql`
          insert into operation_units (operation_id, stage, id, kind, component, machine, reason, status)
          select ${id}, ${stage}, unit.id, unit.kind, unit.component, unit.machine, unit.reason, 'pending'
          from jsonb_to_recordset(${JSON.stringify(plan.units)}::jsonb)
            as unit(id text, kind text, component text, machine text, reason text)`)
        return plan
      })
    },

    async plan(id, stage) {
      return (await storedPlan(db, id, stage, false)) ?? undefined
    },

    async units(id) {
      const rows = await db
        .select()
        .from(operationUnits)
        .where(eq(operationUnits.operationId, id))
        .orderBy(asc(operationUnits.stage), asc(operationUnits.id))
      return rows.map(toRecord)
    },

    async setUnit(id, stage, unitId, { status, error }) {
      await db.transaction(async (tx) => {
        const [row] = await tx
          .update(operationUnits)
          .set({ status, ...changesOf(status), ...(error && { error: storable(error) }) })
          .where(
            and(eq(operationUnits.operationId, id), eq(operationUnits.stage, stage), eq(operationUnits.id, unitId)),
          )
          .returning()
        if (!row) throw new KitbagError('internal', `operation ${id} has no unit ${unitId} in its ${stage} plan`)
        await appendEventsIn(tx, id, [{ type: 'unit', data: eventData(row) }])
      })
    },
  }
}
