import { certificates } from './certificates/service.ts'
import type { ToolkitRegistry, ToolkitService } from './contract.ts'
import { dns } from './dns/service.ts'
import { loadBalancer } from './load-balancer/service.ts'

/** Every toolkit service by the key that blueprints use. A folder of the kebab-case name holds each. */
export const toolkit: ToolkitRegistry = {
  certificates: certificates as unknown as ToolkitService,
  dns: dns as unknown as ToolkitService,
  loadBalancer: loadBalancer as unknown as ToolkitService,
}
