import { levelInterval, levelNodes } from '../../lib/level-nodes.ts'
import type { ToolkitWatch } from '../contract.ts'
import type { LoadBalancerSpec } from './schema.ts'

/**
 * Nodes that a change could not reach are brought level when they answer again. One alone fails the change, which its author sees; only a
 * renewed certificate has nobody who would ask again.
 */
export const watch: ToolkitWatch<LoadBalancerSpec> = {
  interval: ({ replicas, listeners }) =>
    replicas > 1 || listeners.some(({ certificates }) => certificates) ? levelInterval : undefined,
  overrides: false,
  look: levelNodes,
}
