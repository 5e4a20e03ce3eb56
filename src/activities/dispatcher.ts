import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client'
import type { Store } from '../db/store.ts'
import { sleep } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { OperationRecord } from '../model/operation.ts'
import { cancelSignal, type OperationInput, operationWorkflowType, taskQueue } from '../model/workflow-messages.ts'

export interface DispatcherOptions {
  store: Pick<Store, 'operations' | 'changed'>
  client: Client
  log: Log
  /** Ends it. */
  signal: AbortSignal
  /** Milliseconds; shorter in tests. */
  timings?: { idle?: number; undispatched?: number; audit?: number; failure?: number }
}

/** Operations started at the same time, at most, in one round. */
const batch = 50

/**
 * Brings rows and workflows together, in any number of worker processes at once: starts the workflow of every operation whose turn
 * has come, again where a process died between the two, and passes cancellations on. Returns when the signal is aborted.
 */
export async function runDispatcher({ store, client, log, signal, timings = {} }: DispatcherOptions): Promise<void> {
  const { idle = 2_000, undispatched = 5_000, audit = 30_000, failure = 1_000 } = timings
  const signalled = new Map<string, number>()
  let auditAt = Date.now() + audit
  while (!signal.aborted) {
    try {
      const claimed = await store.operations.claim(batch)
      const lost = await store.operations.undispatched(undispatched)
      await each([...claimed, ...lost], log, (operation) => start(client, store, operation))
      const running = await store.operations.running()
      await each(dueSignals(running, signalled), log, (operation) => cancel(client, operation))
      if (Date.now() >= auditAt) {
        await each(running, log, (operation) => restartWhenLost(client, store, operation, log))
        auditAt = Date.now() + audit
      }
      if (claimed.length === 0) await store.changed('operations', { timeout: idle, signal })
    } catch (error) {
      if (signal.aborted) return
      log.warn('dispatcher: a round failed, trying again', { error })
      await sleep(failure, signal).catch(() => undefined)
    }
  }
}

/** One operation that cannot be started must not keep the others waiting; it is due again in a later round. */
async function each(operations: OperationRecord[], log: Log, act: (operation: OperationRecord) => Promise<void>) {
  await Promise.all(
    operations.map((operation) =>
      act(operation).catch((error: unknown) => log.warn('dispatcher: operation', { operation: operation.id, error })),
    ),
  )
}

async function start(client: Client, store: DispatcherOptions['store'], { id }: OperationRecord): Promise<void> {
  const input: OperationInput = { operationId: id }
  try {
    await client.workflow.start(operationWorkflowType, {
      workflowId: id,
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
  await store.operations.dispatched(id)
}

/** Milliseconds after which a cancellation is signalled again: its workflow may have been restarted meanwhile. */
const signalAgain = 5_000

function dueSignals(running: OperationRecord[], signalled: Map<string, number>): OperationRecord[] {
  const cancelling = running.filter(({ status }) => status === 'cancelling')
  const ids = new Set(cancelling.map(({ id }) => id))
  for (const id of signalled.keys()) if (!ids.has(id)) signalled.delete(id)
  return cancelling.filter(({ id }) => {
    const due = Date.now() - (signalled.get(id) ?? 0) >= signalAgain
    if (due) signalled.set(id, Date.now())
    return due
  })
}

async function cancel(client: Client, { id }: OperationRecord): Promise<void> {
  try {
    await client.workflow.getHandle(id).signal(cancelSignal)
  } catch (error) {
    // Not started yet, or just over: the workflow reads the row's status when it plans.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

/** Failed tries of one workflow task after which its run is given up. A worker that dies under way spoils one. */
const mostTaskFailures = 3

/**
 * A row that still runs although its workflow is over or unknown (the server lost its state, somebody terminated it), or can be
 * carried on by no worker (somebody without the key wrote into it): begins anew.
 */
async function restartWhenLost(
  client: Client,
  store: DispatcherOptions['store'],
  operation: OperationRecord,
  log: Log,
) {
  const handle = client.workflow.getHandle(operation.id)
  const state = await handle
    .describe()
    .then(stateOf)
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return 'gone'
      throw error
    })
  if (state === 'alive') return
  const current = await store.operations.get(operation.id)
  if (current?.status !== 'running' && current?.status !== 'cancelling') return
  log.warn(`dispatcher: the workflow of a running operation is ${state}, starting it again`, {
    operation: operation.id,
  })
  if (state === 'stuck') await handle.terminate('no worker can carry it on')
  await start(client, store, operation)
}

function stateOf({ status, raw }: WorkflowExecutionDescription): 'alive' | 'gone' | 'stuck' {
  if (status.name !== 'RUNNING' && status.name !== 'CONTINUED_AS_NEW') return 'gone'
  return (raw.pendingWorkflowTask?.attempt ?? 0) > mostTaskFailures ? 'stuck' : 'alive'
}
