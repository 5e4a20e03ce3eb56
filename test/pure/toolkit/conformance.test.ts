import { expect, test } from 'vitest'
import type { RecipeContext } from '../../../src/model/recipe.ts'
import { compile } from '../../../src/recipes/compile.ts'
import type { Recipe } from '../../../src/recipes/recipe.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { createFakeReach } from '../../../src/shell/fake.ts'
import { runProgram } from '../../../src/shell/run-program.ts'
import { prepare } from '../../../src/toolkit/load-balancer/prepare.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { autoscalerUnderTest } from '../../conformance/toolkit/autoscaler.ts'
import { certificatesUnderTest } from '../../conformance/toolkit/certificates.ts'
import { dnsUnderTest } from '../../conformance/toolkit/dns.ts'
import { healingUnderTest } from '../../conformance/toolkit/healing.ts'
import { loadBalancerUnderTest } from '../../conformance/toolkit/load-balancer.ts'
import { monitoringUnderTest } from '../../conformance/toolkit/monitoring.ts'
import { type RunningService, testToolkitService } from '../../conformance/toolkit/test-toolkit-service.ts'

const underTest = {
  autoscaler: autoscalerUnderTest,
  certificates: certificatesUnderTest,
  dns: dnsUnderTest,
  healing: healingUnderTest,
  loadBalancer: { ...loadBalancerUnderTest, start },
  monitoring: monitoringUnderTest,
}

test('every service of the registry has its conformance test', () => {
  expect(Object.keys(underTest)).toEqual(Object.keys(toolkit))
})

const recipe = (await shippedRecipes()).get('haproxy') as Recipe
const node = { id: 'mac_1', name: 'load-balancer-1', address: '10.0.0.9', port: 22, user: 'debian', hostKey: '' }

/** The load balancer on the fake's machine. */
async function start(): Promise<RunningService> {
  const { service, sections, components } = loadBalancerUnderTest
  const spec = service.schema.parse(sections[0])
  const [component] = service.plan({ name: 'loadBalancer', spec, components }).components
  const backends = ((component?.settings.backends ?? []) as object[]).map((backend) => ({
    ...backend,
    servers: [{ name: 'web-1', address: '10.0.0.1', port: 8080 }],
  }))
  const { parameters } = await prepare({ parameters: { ...component?.settings, backends, overrides: {} } })
  const reach = createFakeReach()
  const context = {
    installation: 'i',
    deployment: 'd',
    component: 'loadBalancer',
    machine: { name: node.name, address: node.address, user: node.user, cpu: 1, memory: 1 },
    parameters,
    env: {},
    release: { number: 1 },
    consumers: [],
    peers: [],
  } satisfies RecipeContext
  const run = (suppress: string[]) =>
    runProgram(reach, node, compile(recipe, 'configure', context, { mode: 'apply', secrets: [], suppress }), {
      blobs: async function* () {},
    })
  await run([])
  return {
    context: {
      service: 'loadBalancer',
      spec,
      reach,
      machines: [node],
      unsettled: new Set(),
      parameters: async () => ({}),
      outside: async () => [],
    },
    node,
    parameters,
    runProgram: run,
    member: { component: 'web', machine: 'web-1' },
    close: () => reach.close(),
  }
}

for (const [kind, service] of Object.entries(underTest)) testToolkitService(kind, service)
