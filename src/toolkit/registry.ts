import type { ToolkitRegistry, ToolkitService } from './contract.ts'
import { loadBalancer } from './load-balancer/service.ts'

/** Every toolkit service by the key that blueprints use. A folder of the kebab-case name holds each. */
export const toolkit: ToolkitRegistry = {
  loadBalancer: loadBalancer as unknown as ToolkitService,
}
