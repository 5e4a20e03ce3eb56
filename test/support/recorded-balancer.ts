import { z } from 'zod'
import type { ResolvedComponent } from '../../src/model/blueprint.ts'
import type { ToolkitService } from '../../src/toolkit/contract.ts'

export interface BalancerSpec {
  to: string
  /** Machines; default 1. */
  replicas?: number | undefined
}

export interface RecordedBalancer {
  service: ToolkitService
  /** `leave web-1`, `join web-1`, `push load-balancer-1`, in order. */
  calls: string[]
  /** Runs inside each call; throw to fail it. */
  hook?: (call: string) => void | Promise<void>
  /** What it says of the traffic that it carries, asked at each look; throw to say nothing. */
  figures?: (() => Record<string, number>) | undefined
}

/** Names of the figures that it knows. */
const figureNames = ['requests', 'responses', 'responses-5xx', 'requests-at-hand']

/** A load balancer whose control side only writes down what it was asked; its machines are real to the planner. */
export function recordedBalancer(): RecordedBalancer {
  const recorded: RecordedBalancer = { calls: [], service: undefined as unknown as ToolkitService }
  const call = async (text: string) => {
    recorded.calls.push(text)
    await recorded.hook?.(text)
  }
  const service: ToolkitService<BalancerSpec> = {
    kind: 'loadBalancer',
    path: 'load-balancers',
    command: 'lb',
    summary: 'Writes down what it is asked',
    schema: z.object({ to: z.string(), replicas: z.int().optional() }),
    outputs: [],
    validate: () => [],
    plan: ({ name, spec }) => ({ components: [machineOf(name, spec)], members: [spec.to] }),
    control: {
      leave: (_context, { machine }) => call(`leave ${machine}`),
      join: (_context, { machine }) => call(`join ${machine}`),
      async beforeConfigure(_context, node) {
        await call(`push ${node.name}`)
        return []
      },
      afterConfigure: async () => {},
    },
    metrics: {
      offers: ({ to }) => ({ [to]: figureNames }),
      async read({ spec }) {
        const figures = recorded.figures?.() ?? {}
        return figureNames.map((metric) => ({
          component: spec.to,
          metric,
          value: figures[metric] ?? 0,
          source: 'load-balancer-1',
        }))
      },
    },
    routes: [],
  }
  recorded.service = service as unknown as ToolkitService
  return recorded
}

function machineOf(name: string, { to, replicas = 1 }: BalancerSpec): ResolvedComponent {
  return {
    name,
    recipe: 'balancer',
    port: 80,
    replicas,
    machine: { cpu: 1, memory: 2 ** 29, image: 'debian-13' },
    placement: {},
    env: {},
    settings: { backends: { $ref: `${to}.machines` }, changed: { $ref: `overrides.${name}` } },
    update: { maxUnavailable: 1, drain: 0 },
    service: name,
  }
}
