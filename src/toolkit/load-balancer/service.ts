import type { z } from 'zod'
import type { ToolkitService } from '../contract.ts'
import { overrideKey } from './configuration.ts'
import { control } from './control.ts'
import { health } from './health.ts'
import { metrics } from './metrics.ts'
import { plan } from './plan.ts'
import { prepare } from './prepare.ts'
import { routes } from './routes.ts'
import { type LoadBalancerSpec, loadBalancerSchema } from './schema.ts'
import { share } from './share.ts'
import { backendsOf } from './targets.ts'
import { validate } from './validate.ts'
import { watch } from './watch.ts'

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
  overridesOf: ({ component, machine }, spec, overrides) =>
    [...backendsOf(spec).values()]
      .filter(({ to }) => to === component)
      .map(({ backend }) => overrideKey(backend, machine))
      .filter((key) => Object.hasOwn(overrides, key)),
  share,
  control,
  prepare,
  metrics,
  health,
  routes,
  watch,
}
