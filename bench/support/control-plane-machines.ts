import { machineAccess } from '../../src/activities/machine-access.ts'
import { createLog } from '../../src/lib/log.ts'
import { compose } from '../../src/main/compose.ts'
import { socketFolder } from '../../src/main/embedded/socket-folder.ts'
import { loadMasterKey } from '../../src/main/master-key.ts'
import { cacheFolder } from '../../src/main/paths.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { Reach } from '../../src/model/reach.ts'
import type { Bench } from './bench.ts'
import type { Plane } from './plane.ts'

/** A deployment's machines, with the key and the transport of the control plane that made them. */
export async function machinesOf(
  { cleanup }: Bench,
  { home }: Plane,
  deployment: string,
): Promise<{ machines: MachineAccess[]; privateKey: string; reach: Reach }> {
  const parts = await compose({
    database: { socket: socketFolder(home) },
    masterKey: await loadMasterKey(home),
    home,
    cache: cacheFolder(),
    log: createLog({ level: 'error' }),
  })
  cleanup.add('store', () => parts.close())
  const { store, tenantId, reach } = parts
  const row = await store.deployments.getByName(tenantId, deployment)
  if (!row) throw new Error(`there is no deployment ${deployment}`)
  const { sshPrivateKey } = await store.installation.get()
  return { machines: (await store.machines.list(row.id)).map(machineAccess), privateKey: sshPrivateKey, reach }
}
