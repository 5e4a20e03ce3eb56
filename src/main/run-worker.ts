import { join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { createActivities } from '../activities/create-activities.ts'
import type { ActivityDeps } from '../activities/deps.ts'
import { runDispatcher } from '../activities/dispatcher.ts'
import { packageRoot } from '../lib/package-root.ts'
import { taskQueue } from '../workflows/messages.ts'
import { collectAtRest } from './collect-at-rest.ts'
import type { Parts } from './compose.ts'
import type { TemporalConnection } from './temporal/connect.ts'
import { createDataConverter } from './temporal/data-converter.ts'

export interface RunningWorker {
  /** Rejects when the worker or the dispatcher ends by itself. */
  failed: Promise<never>
  /** Within about 3 s: running activities are cut and taken up again by the next worker. */
  stop(): Promise<void>
}

export interface WorkerOptions {
  parts: Parts
  temporal: TemporalConnection
  namespace: string
  masterKey: Buffer
  /** Default: the one that the build made. */
  workflowBundle?: { codePath: string } | { code: string }
  timings?: ActivityDeps['timings']
  boundary?: ActivityDeps['boundary']
}

/** Polls for work, and starts the workflows of queued operations. */
export async function runWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { parts, temporal, namespace, masterKey, timings, boundary } = options
  const { log } = parts
  const worker = await Worker.create({
    connection: temporal.connection,
    namespace,
    taskQueue,
    workflowBundle: options.workflowBundle ?? { codePath: join(packageRoot(), 'dist/workflow-bundle.js') },
    activities: createActivities({ ...parts, ...(timings && { timings }), ...(boundary && { boundary }) }),
    dataConverter: createDataConverter(masterKey),
    // An activity mostly waits for a machine: a deployment of 200 has them all at work at once.
    maxConcurrentActivityTaskExecutions: 300,
    maxConcurrentLocalActivityExecutions: 50,
    maxCachedWorkflows: 100,
    reuseV8Context: true,
    workflowThreadPoolSize: 1,
    // How long a task waits for a worker that died, and how often a heartbeat (which brings cancellations) is let through.
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '500ms',
    shutdownForceTime: '3s',
  })
  const ending = new AbortController()
  const stopCollecting = collectAtRest()
  const running = worker.run()
  const dispatching = dispatch()

  async function dispatch(): Promise<void> {
    const { store, clouds, tenantId } = parts
    await clouds.adopt(tenantId).catch((error) => log.error('machines could not be taken over', { error }))
    await runDispatcher({ store, client: temporal.client, log, signal: ending.signal })
  }

  const failed = Promise.all([running, dispatching]).then((): Promise<never> => {
    if (ending.signal.aborted) return new Promise(() => {})
    throw new Error('the worker ended by itself')
  })
  failed.catch(() => {})
  return {
    failed,
    async stop() {
      ending.abort()
      stopCollecting()
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await Promise.allSettled([running, dispatching])
    },
  }
}
