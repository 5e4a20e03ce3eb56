import type { Log } from '../lib/log.ts'
import type { Parts } from './compose.ts'
import type { WorkerOptions } from './run-worker.ts'

/** A control plane, or a part of one, that runs in this process. */
export interface Running {
  /** Where its API is; absent for a worker alone. */
  url?: string
  /** Rejects when it cannot go on. */
  failed: Promise<never>
  parts: Parts
  stop(): Promise<void>
}

export interface RunOptions {
  log: Log
  /** What takes long at the first start, for people. */
  onProgress: (step: string, detail: string) => void
  /** Gives the start up. */
  signal?: AbortSignal
  worker?: Pick<WorkerOptions, 'workflowBundle' | 'timings' | 'boundary'>
}
