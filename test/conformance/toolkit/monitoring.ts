import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { monitoring } from '../../../src/toolkit/monitoring/service.ts'
import { loadBalancerUnderTest } from './load-balancer.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

/** Monitoring's part of the suite. What runs is tested on real machines. */
export const monitoringUnderTest: ToolkitServiceUnderTest = {
  service: monitoring as unknown as ToolkitService,
  components: loadBalancerUnderTest.components,
  sections: [
    {},
    {
      interval: '5s',
      retention: { time: '30d', size: '1GiB' },
      alerts: [{ name: 'slow', expr: 'component:request_duration_seconds:p95 > 0.5', for: '1m' }],
      replicas: 2,
    },
  ],
  refused: {
    'alerts.0.expr is no PromQL': { alerts: [{ name: 'slow', expr: 'sum(' }] },
    'slow is there twice': { alerts: [1, 2].map((above) => ({ name: 'slow', expr: `up < ${above}` })) },
    'there is no receiver nosuch': { alerts: [{ name: 'slow', expr: 'up < 1', notify: 'nosuch' }] },
    'retention.size': { retention: { size: '1MiB' } },
    replicas: { replicas: 3 },
  },
  changes: {},
}
