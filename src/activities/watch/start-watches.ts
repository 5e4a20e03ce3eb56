import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { Store } from '../../db/store.ts'
import { sleep } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { taskQueue, type WatchInput, watchWorkflowId, watchWorkflowType } from '../../model/workflow-messages.ts'
import type { ToolkitRegistry } from '../../toolkit/contract.ts'
import { releaseOf } from '../release-of.ts'
import { servicesToWatch } from './services-to-watch.ts'

export interface StartWatchesOptions {
  store: Pick<Store, 'watches' | 'releases' | 'changed'>
  toolkit: ToolkitRegistry
  client: Client
  log: Log
  /** Ends it. */
  signal: AbortSignal
  /** Milliseconds; shorter in tests. */
  timings?: { idle?: number; pause?: number; audit?: number }
}

/**
 * Keeps a watch running for every deployment whose release in force has a service that acts by itself; in any number of worker processes
 * at once, because a watch that runs is not begun twice. Returns when the signal is aborted.
 */
export async function startWatches({ store, toolkit, client, log, signal, timings = {} }: StartWatchesOptions) {
  const { idle = 5_000, pause = 1_000, audit = 30_000 } = timings
  /** Deployment -> the release that was seen to. */
  let seen = new Map<string, { release: number; watched: boolean }>()
  let auditAt = 0

  async function isWatched(deploymentId: string, release: number): Promise<boolean> {
    const known = seen.get(deploymentId)
    if (known?.release === release) return known.watched
    const { spec } = await releaseOf(store, deploymentId, release)
    return servicesToWatch(toolkit, spec).length > 0
  }

  async function round(): Promise<void> {
    const next: typeof seen = new Map()
    const running = Date.now() >= auditAt ? await runningWatches(client) : undefined
    for (const { deploymentId, release } of await store.watches.candidates()) {
      const watched = await isWatched(deploymentId, release)
      const fresh = seen.get(deploymentId)?.release !== release
      if (watched && (fresh || running?.has(watchWorkflowId(deploymentId)) === false)) await start(client, deploymentId)
      next.set(deploymentId, { release, watched })
    }
    seen = next
    if (running) auditAt = Date.now() + audit
  }

  while (!signal.aborted) {
    try {
      await round()
      await sleep(pause, signal)
      await store.changed('operations', { timeout: idle, signal })
    } catch (error) {
      if (signal.aborted) return
      log.warn('watches: a round failed, trying again', { error })
      await sleep(pause, signal).catch(() => undefined)
    }
  }
}

async function start(client: Client, deploymentId: string): Promise<void> {
  const input: WatchInput = { deploymentId }
  try {
    await client.workflow.start(watchWorkflowType, {
      workflowId: watchWorkflowId(deploymentId),
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/** Workflow ids. What was started a moment ago may be missing: starting it again does no harm. */
async function runningWatches(client: Client): Promise<Set<string>> {
  const ids = new Set<string>()
  const query = `WorkflowType = '${watchWorkflowType}' AND ExecutionStatus = 'Running'`
  for await (const { workflowId } of client.workflow.list({ query })) ids.add(workflowId)
  return ids
}
