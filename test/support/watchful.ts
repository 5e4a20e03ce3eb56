import { z } from 'zod'
import type { ResolvedService } from '../../src/model/blueprint.ts'
import type { ToolkitService, WatchContext, WatchOutcome } from '../../src/toolkit/contract.ts'

export interface Watchful {
  service: ToolkitService
  /** Looks under way at this moment, and the most that ever were. */
  looking: { now: number; most: number }
  /** What a look comes to beside its number; throw to fail it. */
  hook?: ((context: WatchContext<unknown>) => WatchOutcome | void | Promise<WatchOutcome | void>) | undefined
}

/** A service without machines that numbers its looks: `{ n, pid }` is each one's decision, and its state. */
export function watchful(): Watchful {
  const watching: Watchful = { service: undefined as unknown as ToolkitService, looking: { now: 0, most: 0 } }
  const { looking } = watching
  watching.service = {
    kind: 'watchful',
    path: 'watchful',
    command: 'watchful',
    summary: 'Numbers its looks',
    schema: z.object({}),
    outputs: [],
    validate: () => [],
    plan: () => ({ components: [], members: [] }),
    control: {
      leave: async () => {},
      join: async () => {},
      beforeConfigure: async () => [],
      afterConfigure: async () => {},
    },
    routes: [],
    watch: {
      interval: () => 1_000,
      async look(context) {
        looking.most = Math.max(looking.most, ++looking.now)
        try {
          const n = Number(context.state.n ?? 0) + 1
          const more = (await watching.hook?.(context)) ?? {}
          const data = { n, pid: process.pid }
          return { state: data, decisions: [{ level: 'info', message: `look ${n}`, data }], ...more }
        } finally {
          looking.now--
        }
      },
    },
  }
  return watching
}

/** Its part of a blueprint. */
export const watchfulSection: ResolvedService = { name: 'watchful', kind: 'watchful', spec: {} }
