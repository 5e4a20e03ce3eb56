import type { z } from 'zod'
import type { ToolkitService } from '../contract.ts'
import { control } from './control.ts'
import { health } from './health.ts'
import { notices } from './notices.ts'
import { plan, validate } from './plan.ts'
import { prepare } from './prepare.ts'
import { queries } from './queries.ts'
import { routes } from './routes.ts'
import { type MonitoringSpec, monitoringSchema } from './schema.ts'
import { view } from './view.ts'

/** Prometheus and Alertmanager machines, and exporters on every machine of the deployment. */
export const monitoring: ToolkitService<MonitoringSpec> = {
  kind: 'monitoring',
  path: 'monitoring',
  command: 'metrics',
  summary: 'Monitoring',
  schema: monitoringSchema as z.ZodType<MonitoringSpec>,
  outputs: [],
  observes: true,
  validate,
  plan,
  control,
  prepare,
  queries,
  notices,
  routes,
  view,
  health,
}
