import { z } from 'zod'
import type { ToolkitRoute } from '../contract.ts'
import type { HealingSpec } from './schema.ts'
import { readState } from './watch.ts'

const time = (ms: number) => new Date(ms).toISOString()

const showRoute: ToolkitRoute<HealingSpec> = {
  id: 'show',
  method: 'get',
  path: '/state',
  summary: 'Machines that are not well, what a person has to see to, and what was replaced lately',
  response: z.object({
    suspects: z.array(
      z.object({
        machine: z.string(),
        condition: z.enum(['unhealthy', 'silent', 'stopped', 'deleted', 'lost']),
        since: z.string(),
        detail: z.string(),
      }),
    ),
    alerts: z.array(z.object({ alert: z.string() })),
    replaced: z.array(z.object({ component: z.string(), at: z.string() })),
  }),
  cli: [{ name: 'show', summary: 'Show machines that are not well' }],
  async read({ watch }) {
    const { suspects, alerts, replaced } = readState((await watch?.state()) ?? {})
    return {
      suspects: Object.values(suspects).map(({ machine, condition, since, detail }) => ({
        machine,
        condition,
        since: time(since),
        detail,
      })),
      alerts: Object.values(alerts).map((alert) => ({ alert })),
      replaced: replaced.map(({ component, at }) => ({ component, at: time(at) })),
    }
  },
}

export const routes: ToolkitRoute<HealingSpec>[] = [showRoute]
