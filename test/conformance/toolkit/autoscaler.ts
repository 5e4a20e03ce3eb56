import { autoscaler } from '../../../src/toolkit/autoscaler/service.ts'
import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { metrics } from '../../../src/toolkit/load-balancer/metrics.ts'
import { loadBalancerSchema } from '../../../src/toolkit/load-balancer/schema.ts'
import { queries } from '../../../src/toolkit/monitoring/queries.ts'
import { loadBalancerUnderTest } from './load-balancer.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

const target = { metric: 'requests-per-second-per-machine', value: 50 }
const policy = { component: 'web', min: 2, max: 6, target }
const spec = loadBalancerSchema.parse({ listeners: [{ port: 80, to: 'web' }] })

/** The autoscaler's part of the suite. It has no machines of its own, so nothing of it runs by itself. */
export const autoscalerUnderTest: ToolkitServiceUnderTest = {
  service: autoscaler as unknown as ToolkitService,
  components: loadBalancerUnderTest.components,
  services: [
    { name: 'loadBalancer', kind: 'loadBalancer', spec: spec as never, metrics: metrics.offers(spec) },
    { name: 'monitoring', kind: 'monitoring', spec: {}, metrics: {}, queries },
  ],
  sections: [
    policy,
    {
      component: 'web',
      max: 20,
      targets: [target, { metric: 'cpu', value: 0.7 }],
      steps: [{ metric: 'error-rate', above: 0.05, change: 2 }],
      schedules: [{ cron: '0 8 * * 1-5', zone: 'Europe/Berlin', for: '10h', min: 4 }],
      interval: '5s',
      cooldown: { out: '1m', in: '10m' },
      stabilisation: '10m',
      warmUp: '2m',
      steppingAtMost: { out: 4, in: 1 },
      maxMachines: 30,
      maxMonthlyCost: 500,
    },
    { component: 'worker', max: 3, target: { metric: 'cpu', value: 0.5 } },
    {
      component: 'worker',
      max: 3,
      target: { metric: 'latency-p95', value: 0.3 },
      targets: [{ promql: 'sum(rate(jobs_total[1m]))', shared: true, value: 20 }],
    },
  ],
  refused: {
    '7 is more than max, 6': { ...policy, min: 7 },
    'there is no component nosuch': { ...policy, component: 'nosuch' },
    'none has a listener that sends to worker': { ...policy, component: 'worker' },
    'target.metric': { ...policy, target: { metric: 'nosuch', value: 1 } },
    'needs either `metric` or `promql`': { ...policy, target: { value: 1 } },
    'belongs to `promql`': { ...policy, target: { ...target, shared: true } },
    'targets.0.promql is no PromQL at character': { ...policy, targets: [{ promql: 'sum(rate(x', value: 1 }] },
    'target.value': { ...policy, target: { ...target, value: 0 } },
    'must have five fields': { ...policy, schedules: [{ cron: '* * *', for: '1h', min: 3 }] },
    'is no cron expression': { ...policy, schedules: [{ cron: '61 8 * * *', for: '1h', min: 3 }] },
    'there is no time zone Mars/Phobos': {
      ...policy,
      schedules: [{ cron: '0 8 * * *', zone: 'Mars/Phobos', for: '1h', min: 3 }],
    },
    'its min would be 9': { ...policy, schedules: [{ cron: '0 8 * * *', for: '1h', min: 9 }] },
    'needs either `above` or `below`': { ...policy, steps: [{ metric: 'cpu', change: 1 }] },
    'needs a `target`, `targets`, `steps` or `schedules`': { component: 'web', max: 3 },
  },
  changes: {
    pause: { params: {}, body: { paused: true }, unknown: { part: 'x' } },
  },
}
