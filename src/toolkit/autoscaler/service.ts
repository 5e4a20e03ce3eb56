import type { z } from 'zod'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { NeighbourService, ToolkitService } from '../contract.ts'
import { routes } from './routes.ts'
import { autoscalerSchema, metricsOf, type Policy, type PolicyProblem, policyProblems } from './schema.ts'
import { neededFigures, trafficMetrics } from './traffic.ts'
import { watch } from './watch.ts'

/** Changes the number of a component's machines by load and time. */
export const autoscaler: ToolkitService<Policy> = {
  kind: 'autoscaler',
  path: 'autoscalers',
  command: 'autoscaler',
  summary: 'Autoscaler',
  schema: autoscalerSchema as z.ZodType<Policy>,
  outputs: [],
  nameOf: ({ component }) => (typeof component === 'string' ? `autoscaler-${component}` : undefined),
  validate(policy, components, services) {
    return [...policyProblems(policy), ...componentProblems(policy, components, services)]
  },
  plan: () => ({ components: [], members: [] }),
  // It has no machines, and nobody's traffic passes here.
  control: {
    leave: async () => {},
    join: async () => {},
    beforeConfigure: async () => [],
    afterConfigure: async () => {},
  },
  routes,
  watch,
}

function componentProblems(
  policy: Policy,
  components: ResolvedComponent[],
  services: NeighbourService[],
): (PolicyProblem & { allowed?: string[] })[] {
  const { component } = policy
  const allowed = components.map(({ name }) => name)
  if (!allowed.includes(component))
    return [{ path: 'component', message: `there is no component ${component}`, found: component, allowed }]
  const problems: PolicyProblem[] = []
  const twice = services.filter(({ kind, spec }) => kind === 'autoscaler' && spec.component === component)
  if (twice.length > 1)
    problems.push({ path: 'component', message: `${component} has more than one autoscaler`, found: component })
  const carried = services.some(({ metrics }) => neededFigures.every((name) => metrics[component]?.includes(name)))
  const asked = metricsOf(policy).find((metric) => trafficMetrics.includes(metric))
  if (asked && !carried)
    problems.push({
      path: pathOf(policy, asked),
      message: `${asked} is known to a load balancer only, and none has a listener that sends to ${component}`,
      found: asked,
    })
  return problems
}

/** Where the policy first asks for a metric. */
function pathOf(policy: Policy, metric: string): string {
  if (policy.target?.metric === metric) return 'target.metric'
  const target = policy.targets.findIndex((one) => one.metric === metric)
  if (target >= 0) return `targets.${target}.metric`
  return `steps.${policy.steps.findIndex((one) => one.metric === metric)}.metric`
}
