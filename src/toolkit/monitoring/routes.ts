import type { ToolkitRoute } from '../contract.ts'
import { alertRoutes } from './alert-routes.ts'
import { metricRoutes } from './metric-routes.ts'
import type { MonitoringSpec } from './schema.ts'
import { silenceRoutes } from './silence-routes.ts'

export const routes: ToolkitRoute<MonitoringSpec>[] = [...metricRoutes, ...alertRoutes, ...silenceRoutes]
