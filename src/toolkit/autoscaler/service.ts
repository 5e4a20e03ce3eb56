import type { z } from 'zod'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import { type NeighbourService, noTraffic, type ToolkitService } from '../contract.ts'
import { measuredMetrics } from './measured.ts'
import { routes } from './routes.ts'
import { autoscalerSchema, figuresOf, type Policy, type PolicyProblem, policyProblems } from './schema.ts'
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
  control: noTraffic,
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
  const { with: host } = components.find(({ name }) => name === component)?.placement ?? {}
  if (host !== undefined)
    problems.push({
      path: 'component',
      message: `${component} shares the machines of ${host}: how many there are is decided there`,
      found: component,
    })
  const twice = services.filter(({ kind, spec }) => kind === 'autoscaler' && spec.component === component)
  if (twice.length > 1)
    problems.push({ path: 'component', message: `${component} has more than one autoscaler`, found: component })
  const carried = services.some(({ metrics }) => neededFigures.every((name) => metrics[component]?.includes(name)))
  const queries = services.find((service) => service.queries)?.queries
  for (const { name, promql, path } of figuresOf(policy)) {
    const place = `${path}.${promql ? 'promql' : 'metric'}`
    if (trafficMetrics.includes(name) && !carried)
      problems.push({
        path: place,
        message: `${name} is known to a load balancer only, and none has a listener that sends to ${component}`,
        found: name,
      })
    if (!promql && !measuredMetrics.includes(name)) continue
    if (!queries)
      problems.push({ path: place, message: `needs \`toolkit.monitoring\`, which is not there`, found: name })
    const fault = promql ? queries?.fault(name) : undefined
    if (fault !== undefined) problems.push({ path: place, message: fault, found: name })
  }
  return problems
}
