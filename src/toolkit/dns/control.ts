import { KitbagError } from '../../model/errors.ts'
import type { ToolkitControl } from '../contract.ts'
import type { ZoneFile } from './prepare.ts'
import { zoneState } from './query.ts'
import type { DnsSpec } from './schema.ts'

type Control = ToolkitControl<DnsSpec>

/** Zones that are asked for at the same time. */
const parallel = 20

/** Every zone is answered as the file has it. A signed one's serial counts weeks beside, so that it is only looked for. */
const afterConfigure: Control['afterConfigure'] = async ({ reach }, node, parameters) => {
  const files = [...((parameters.files ?? []) as ZoneFile[])]
  const look = async () => {
    for (let file = files.pop(); file; file = files.pop()) {
      const { serial } = await zoneState(reach, node, file.zone)
      if (serial === file.serial || (file.key !== null && serial !== null)) continue
      const found = serial === null ? 'does not answer for it' : `answers with serial ${serial}, not ${file.serial}`
      throw new KitbagError('service-failed', `PowerDNS on ${node.name}: ${file.zone}: it ${found}`, {
        machine: node.name,
        retryable: true,
      })
    }
  }
  await Promise.all(Array.from({ length: parallel }, look))
}

/** Nobody's traffic passes here; zones are files, read anew without a pause by the reload that they notify. */
export const control: Control = {
  leave: async () => {},
  join: async () => {},
  beforeConfigure: async () => [],
  afterConfigure,
}
