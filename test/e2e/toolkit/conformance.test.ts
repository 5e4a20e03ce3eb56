import { describe, test } from 'vitest'
import { loadBalancerUnderTest } from '../../conformance/toolkit/load-balancer.ts'
import { type RunningService, testToolkitService } from '../../conformance/toolkit/test-toolkit-service.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { startBackend } from './backend.ts'
import { balancerBox, type Wanted } from './balancer-box.ts'

async function start(image: string): Promise<RunningService> {
  const one = await startBackend('web-1')
  const box = await balancerBox(image)
  const [section] = loadBalancerUnderTest.sections
  const wanted: Wanted = { section, members: { web: [one] } }
  await box.configure(wanted, { first: true })
  return {
    context: box.context(wanted),
    node: box.node,
    parameters: await box.parameters(wanted),
    runProgram: (suppress) => box.program(wanted, suppress),
    member: { component: 'web', machine: 'web-1' },
    async close() {
      await one.close()
      await box.close()
    },
  }
}

for (const image of images) {
  if (noMachines) describe(`loadBalancer on ${image}`, () => test.skip(`needs root on Linux (${noMachines})`, () => {}))
  else testToolkitService(`loadBalancer on ${image}`, { ...loadBalancerUnderTest, start: () => start(image) })
}
