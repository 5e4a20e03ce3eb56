import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import type { Activities } from '../../src/activities/create-activities.ts'
import { createLog } from '../../src/lib/log.ts'
import { startTemporal } from '../../src/main/embedded/temporal.ts'
import { installRuntime } from '../../src/main/temporal/runtime.ts'
import { taskQueue } from '../../src/workflows/messages.ts'
import { workflowBundle } from './workflow-bundle.ts'

/** The server, and Temporal's own command line. */
export const temporalBinary = process.env.TEMPORAL_CLI ?? '/var/cache/kitbag/bin/temporal'

export interface TestTemporal {
  address: string
  namespace: string
  client: Client
  /** Runs a worker with these activities until `stop` is called. */
  work(activities: Activities): Promise<{ stop(): Promise<void> }>
  stop(): Promise<void>
}

/** Options of every worker in tests: short stickiness and throttling, so that crashes and cancellations are noticed as in production. */
export const workerOptions = {
  taskQueue,
  maxHeartbeatThrottleInterval: '1 second',
  defaultHeartbeatThrottleInterval: '1 second',
  stickyQueueScheduleToStartTimeout: '1 second',
  maxConcurrentActivityTaskExecutions: 200,
} as const

/** A real Temporal server with its state in a throw-away folder. */
export async function startTestTemporal(): Promise<TestTemporal> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-temporal-'))
  const log = createLog({ level: 'error' })
  const server = await startTemporal({ home, binary: temporalBinary, log })
  installRuntime(log)
  const connection = await NativeConnection.connect({ address: server.address })
  const client = new Client({ connection })
  return {
    address: server.address,
    namespace: server.namespace,
    client,
    async work(activities) {
      const options = { ...workerOptions, connection, activities, workflowBundle: await workflowBundle() }
      const worker = await Worker.create(options)
      const running = worker.run()
      return {
        async stop() {
          worker.shutdown()
          await running
        },
      }
    },
    async stop() {
      await connection.close()
      await server.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
