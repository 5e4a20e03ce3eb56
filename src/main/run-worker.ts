import { join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { createActivities } from '../activities/create-activities.ts'
import type { ActivityDeps } from '../activities/deps.ts'
import { runDispatcher } from '../activities/dispatcher.ts'
import { levelFirewalls } from '../activities/level-firewalls.ts'
import { renewServers } from '../activities/renew-servers.ts'
import { startWatches } from '../activities/watch/start-watches.ts'
import { createWatchActivities } from '../activities/watch/watch-deployment.ts'
import { packageRoot } from '../lib/package-root.ts'
import { taskQueue, watchTaskQueue } from '../workflows/messages.ts'
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
  const deps = { ...parts, ...(timings && { timings }), ...(boundary && { boundary }) }
  const common = {
    connection: temporal.connection,
    namespace,
    dataConverter: createDataConverter(masterKey),
    shutdownGraceTime: '500ms',
    shutdownForceTime: '3s',
  } as const
  const worker = await Worker.create({
    ...common,
    taskQueue,
    workflowBundle: options.workflowBundle ?? { codePath: join(packageRoot(), 'dist/workflow-bundle.js') },
    activities: createActivities(deps),
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
  })
  const watcher = await Worker.create({
    ...common,
    taskQueue: watchTaskQueue,
    activities: { ...createWatchActivities(deps) },
    // One per watched deployment, nearly always asleep.
    maxConcurrentActivityTaskExecutions: 10_000,
    maxHeartbeatThrottleInterval: '8s',
    defaultHeartbeatThrottleInterval: '8s',
  })
  const ending = new AbortController()
  const stopCollecting = collectAtRest()
  const running = Promise.all([worker.run(), watcher.run()])
  const dispatching = dispatch()

  async function dispatch(): Promise<void> {
    const { store, clouds, tenantId, toolkit, reach } = parts
    await clouds.adopt(tenantId).catch((error) => log.error('machines could not be taken over', { error }))
    const common = { store, client: temporal.client, log, signal: ending.signal }
    const levelling = levelFirewalls({ ...common, reach, ...(timings?.watch && { interval: timings.watch }) })
    await Promise.all([runDispatcher(common), startWatches({ ...common, toolkit }), levelling, renewServers(common)])
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
      for (const one of [worker, watcher]) if (one.getState() === 'RUNNING') one.shutdown()
      await Promise.allSettled([running, dispatching])
    },
  }
}
