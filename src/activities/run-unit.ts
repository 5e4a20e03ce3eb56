import { CancelledFailure, Context } from '@temporalio/activity'
import { retry } from '../lib/retry.ts'
import { KitbagError } from '../model/errors.ts'
import { isFinal, type UnitStage } from '../model/operation.ts'
import type { UnitKind } from '../model/plan.ts'
import { type ActivityDeps, defaultTimings, retryPauses } from './deps.ts'
import { createEventSink } from './event-sink.ts'
import { isStoreAway, recordedFailure, redactedRecord, repeatedFailure } from './failures.ts'
import { heartbeating, isCancelRequested } from './heartbeat.ts'
import { planOf } from './plan-of.ts'
import type { UnitEffect, UnitWork } from './unit-work.ts'
import { adopt } from './units/adopt.ts'
import { check } from './units/check.ts'
import { configure } from './units/configure.ts'
import { create } from './units/create.ts'
import { destroy } from './units/destroy.ts'
import { forget } from './units/forget.ts'
import { install } from './units/install.ts'
import { join, leave } from './units/membership.ts'
import { migrate } from './units/migrate.ts'
import { ready } from './units/ready.ts'
import { isLeftWhenAway } from './units/unless-away.ts'

export interface UnitInput {
  operationId: string
  stage: UnitStage
  unitId: string
}

const effects: Record<UnitKind, UnitEffect> = {
  create,
  install,
  migrate,
  leave,
  configure,
  ready,
  join,
  destroy,
  adopt,
  forget,
  check,
}

/** How often an effect is tried when its failures are retryable. Crashes of the worker do not count. */
export const unitAttempts: Record<UnitKind, number> = {
  create: 6,
  install: 4,
  migrate: 3,
  leave: 4,
  configure: 4,
  ready: 2,
  join: 4,
  destroy: 8,
  adopt: 6,
  forget: 8,
  check: 3,
}

/** A unit that so many workers died of is given up. */
const mostStarts = 100

/** Does one unit: its row says `running` before the effect and what became of it after. */
export function runUnit(deps: ActivityDeps, input: UnitInput): Promise<void> {
  return heartbeating(async (signal) => {
    const work = await begin(deps, input, signal)
    if (!work) return
    try {
      await retryEffect(work)
    } catch (error) {
      await work.events.flush()
      throw await failed(work, error)
    }
    await work.events.flush()
    await work.boundary(`${work.unit.kind}/after`)
    await deps.store.operations.setUnit(input.operationId, input.stage, input.unitId, { status: 'done' })
  })
}

/** undefined: a former try did it, and died before it could say so. */
async function begin(deps: ActivityDeps, input: UnitInput, signal: AbortSignal): Promise<UnitWork | undefined> {
  const { store } = deps
  const { operationId, stage, unitId } = input
  const operation = await store.operations.get(operationId)
  if (!operation || isFinal(operation.status)) {
    // A workflow that outlived its operation (a restored server, say) must not touch machines any more.
    throw recordedFailure({ code: 'cancelled', message: `operation ${operationId} is over` })
  }
  const plan = await planOf(store, operationId, stage)
  const unit = plan.units.find(({ id }) => id === unitId)
  const deployment = await store.deployments.get(operation.deploymentId)
  if (!unit || !deployment) {
    throw recordedFailure({ code: 'internal', message: `operation ${operationId} has no unit ${unitId} (${stage})` })
  }
  if (Context.current().info.attempt > 1 && (await isDone(deps, input))) return undefined
  await store.operations.setUnit(operationId, stage, unitId, { status: 'running' })
  return {
    deps,
    timings: { ...defaultTimings, ...deps.timings },
    operation,
    deployment,
    stage,
    plan,
    unit,
    signal,
    events: createEventSink(store, operationId),
    boundary: async (name) => deps.boundary?.(name),
  }
}

async function isDone({ store }: ActivityDeps, { operationId, stage, unitId }: UnitInput): Promise<boolean> {
  const row = (await store.operations.units(operationId)).find((unit) => unit.stage === stage && unit.id === unitId)
  if (row && row.attempts >= mostStarts) {
    const record = { code: 'internal', message: `${unitId} was begun ${row.attempts} times and never ended` } as const
    await store.operations.setUnit(operationId, stage, unitId, { status: 'failed', error: record })
    throw recordedFailure(record)
  }
  return row?.status === 'done'
}

async function retryEffect(work: UnitWork): Promise<void> {
  const { unit, timings, signal } = work
  const mayBeAway = isLeftWhenAway(work)
  const most = unitAttempts[unit.kind]
  let lastResource: string | undefined
  let unreached = 0
  // The others are not kept waiting for one that is away.
  const mayTryAgain = (error: unknown) => isRetryable(error) && !(isUnreachable(error) && mayBeAway && ++unreached >= 2)
  await work.boundary(`${unit.kind}/before`)
  await retry(
    async (attempt) => {
      try {
        await effects[unit.kind](work)
      } catch (error) {
        if (!signal.aborted && attempt < most && isRetryable(error)) tellRetry(work, error, attempt, most)
        const { resource } = error instanceof KitbagError ? error : {}
        lastResource = resource ?? lastResource
        throw withResource(error, lastResource)
      }
    },
    { attempts: most, delay: retryPauses(timings), signal, retryable: mayTryAgain },
  )
}

/** A machine that cannot be reached any more does not say where it was; the try that was cut off did. */
function withResource(error: unknown, resource: string | undefined): unknown {
  if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable') return error
  if (error.resource !== undefined || resource === undefined) return error
  const { message, fix, machine, retryable } = error
  return new KitbagError(error.code, `${message}; it was at ${resource}`, {
    cause: error,
    retryable,
    resource,
    ...(fix !== undefined && { fix }),
    ...(machine !== undefined && { machine }),
  })
}

function isUnreachable(error: unknown): boolean {
  return error instanceof KitbagError && error.code === 'machine-unreachable'
}

function isRetryable(error: unknown): boolean {
  return error instanceof KitbagError && error.retryable
}

function tellRetry({ events, unit }: UnitWork, error: unknown, attempt: number, most: number): void {
  const { message } = error as Error
  events.add({
    type: 'log',
    data: {
      level: 'warn',
      machine: unit.machine,
      message: `${unit.id}: ${message}; trying again (${attempt} of ${most})`,
    },
  })
}

/** Writes down what became of the unit; returns what the activity ends with. */
async function failed(work: UnitWork, error: unknown): Promise<Error> {
  const { deps, operation, stage, unit, signal, events } = work
  if (signal.aborted) {
    if (!isCancelRequested()) return repeatedFailure('this worker gave the unit up', error)
    const record = { code: 'cancelled', message: `${unit.id} was stopped`, machine: unit.machine } as const
    await deps.store.operations.setUnit(operation.id, stage, unit.id, { status: 'failed', error: record })
    return new CancelledFailure(record.message)
  }
  if (isStoreAway(error)) return repeatedFailure('the database is away', error)
  if (!(error instanceof KitbagError)) deps.log.error('unit failed unexpectedly', { operation: operation.id, error })
  const record = { machine: unit.machine, ...redactedRecord(error, events.secrets()) }
  await deps.store.operations.setUnit(operation.id, stage, unit.id, { status: 'failed', error: record })
  return recordedFailure(record)
}
