import { levelInterval, levelNodes } from '../../lib/level-nodes.ts'
import type { ToolkitWatch } from '../contract.ts'
import type { DnsSpec } from './schema.ts'

/** Nodes that a change could not reach are brought level when they answer again. */
export const watch: ToolkitWatch<DnsSpec> = { interval: () => levelInterval, overrides: false, look: levelNodes }
