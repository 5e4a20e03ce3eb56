import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { healing } from '../../../src/toolkit/healing/service.ts'
import { loadBalancerUnderTest } from './load-balancer.ts'
import type { ToolkitServiceUnderTest } from './test-toolkit-service.ts'

/** Healing's part of the suite. It has no machines of its own, so nothing of it runs by itself. */
export const healingUnderTest: ToolkitServiceUnderTest = {
  service: healing as unknown as ToolkitService,
  components: loadBalancerUnderTest.components,
  services: [{ name: 'loadBalancer', kind: 'loadBalancer', spec: {}, metrics: {} }],
  sections: [
    {},
    {
      interval: '5s',
      after: '1m',
      components: ['web', 'loadBalancer'],
      flapping: { replacements: 5, within: '1d' },
      atOnce: 0.25,
    },
  ],
  refused: {
    'there is no component or service nosuch': { components: ['nosuch'] },
    'between 1s and 1d': { after: '2d' },
    atOnce: { atOnce: 1.5 },
    'flapping.replacements': { flapping: { replacements: 0 } },
  },
  changes: {},
}
