import type { ToolkitControl } from '../contract.ts'
import type { DnsSpec } from './schema.ts'

/** Nobody's traffic passes here; zones are files, read anew without a pause by the reload that they notify. */
export const control: ToolkitControl<DnsSpec> = {
  leave: async () => {},
  join: async () => {},
  beforeConfigure: async () => [],
}
