import { autoscaler } from './autoscaler/service.ts'
import { certificates } from './certificates/service.ts'
import type { ToolkitRegistry, ToolkitService } from './contract.ts'
import { dns } from './dns/service.ts'
import { healing } from './healing/service.ts'
import { loadBalancer } from './load-balancer/service.ts'
import { monitoring } from './monitoring/service.ts'

/** Every toolkit service by the key that blueprints use. A folder of the kebab-case name holds each. */
export const toolkit: ToolkitRegistry = {
  autoscaler: autoscaler as unknown as ToolkitService,
  certificates: certificates as unknown as ToolkitService,
  dns: dns as unknown as ToolkitService,
  healing: healing as unknown as ToolkitService,
  loadBalancer: loadBalancer as unknown as ToolkitService,
  monitoring: monitoring as unknown as ToolkitService,
}
