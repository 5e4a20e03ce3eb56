import type { ToolkitRoute } from '../contract.ts'
import { certificatesRoute } from './routes/certificates.ts'
import { listenersRoute } from './routes/listeners.ts'
import { backendsRoute, maintenanceRoute } from './routes/maintenance.ts'
import { serverRoute } from './routes/servers.ts'
import { statisticsRoute } from './routes/statistics.ts'
import type { LoadBalancerSpec } from './schema.ts'

/** The API of a load balancer. */
export const routes: ToolkitRoute<LoadBalancerSpec>[] = [
  listenersRoute,
  backendsRoute,
  certificatesRoute,
  statisticsRoute,
  serverRoute,
  maintenanceRoute,
]
