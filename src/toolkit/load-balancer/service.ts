import type { z } from 'zod'
import type { ToolkitService } from '../contract.ts'
import { overrideKey } from './configuration.ts'
import { control } from './control.ts'
import { metrics } from './metrics.ts'
import { plan, validate } from './plan.ts'
import { routes } from './routes.ts'
import { backendName, type LoadBalancerSpec, loadBalancerSchema } from './schema.ts'

/** HAProxy machines in front of components, or of machines that Kitbag did not deploy. */
export const loadBalancer: ToolkitService<LoadBalancerSpec> = {
  kind: 'loadBalancer',
  path: 'load-balancers',
  command: 'lb',
  summary: 'Load balancer',
  schema: loadBalancerSchema as z.ZodType<LoadBalancerSpec>,
  outputs: [],
  validate,
  plan,
  overridesOf: ({ component, machine }, { listeners }, overrides) =>
    listeners
      .filter(({ to }) => to === component)
      .map((listener) => overrideKey(backendName(listener), machine))
      .filter((key) => Object.hasOwn(overrides, key)),
  control,
  metrics,
  routes,
}
