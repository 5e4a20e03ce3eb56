import type { ToolkitControl } from './control.ts'

/** The control side of a service through which nobody's traffic passes. One with machines adds how it knows that they run as they should. */
export const noTraffic: ToolkitControl = {
  leave: async () => {},
  join: async () => {},
  beforeConfigure: async () => [],
  afterConfigure: async () => {},
}
