import { KitbagError } from '../../model/errors.ts'
import { noTraffic, type ToolkitControl } from '../contract.ts'
import type { ZoneFile } from './prepare.ts'
import { zoneStates } from './query.ts'
import type { DnsSpec } from './schema.ts'

type Control = ToolkitControl<DnsSpec>

/** Every zone is answered as the file has it. A signed one's serial counts weeks beside, so that it is only looked for. */
const afterConfigure: Control['afterConfigure'] = async ({ reach }, node, parameters) => {
  const files = (parameters.files ?? []) as ZoneFile[]
  const states = await zoneStates(
    reach,
    node,
    files.map(({ zone }) => zone),
  )
  for (const [i, { zone, serial, key }] of files.entries()) {
    const { serial: found = null, error } = states[i] ?? {}
    if (found === serial || (key !== null && found !== null)) continue
    const what = error ?? (found === null ? 'is not served' : `is served with serial ${found}, not ${serial}`)
    throw new KitbagError('service-failed', `PowerDNS on ${node.name}: ${zone}: ${what}`, {
      machine: node.name,
      retryable: true,
    })
  }
}

/** Zones are files, read anew without a pause by the reload that they notify. */
export const control: Control = { ...noTraffic, afterConfigure }
