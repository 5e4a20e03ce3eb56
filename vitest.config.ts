import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { ClosingLineReporter } from './test/support/reporter.ts'
import { StallGuard } from './test/support/stall-guard.ts'

/** No threads that compile and collect in the background: with them Node can hang for good (nodejs/node#54918). */
const execArgv = ['--single-threaded']

/** What comes in seconds is waited for that long: a busy box takes its time, and who waits for nothing in vain loses none. */
const expect = { poll: { timeout: 120_000 } }

const e2eWorkers = availableParallelism() >= 4 ? 3 : 2

const tier = (name: string, options: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], environment: 'node' as const, execArgv, expect, ...options },
})

export default defineConfig({
  test: {
    reporters: [process.env.CI ? 'verbose' : 'default', new ClosingLineReporter(), new StallGuard()],
    sequence: { sequencer: LongestFirst },
    projects: [
      tier('pure', { testTimeout: 60_000 }),
      tier('host', { testTimeout: 240_000 }),
      tier('flow', { testTimeout: 300_000, hookTimeout: 300_000 }),
      // After the others, few files at a time: each has machines and a control plane of its own, and mostly waits for them.
      tier('e2e', { testTimeout: 600_000, hookTimeout: 600_000, maxWorkers: e2eWorkers, sequence: { groupOrder: 1 } }),
    ],
  },
})
