import type { MachineRecord } from '../../model/machine.ts'
import { mayServe } from '../../planner/change-context.ts'
import { forgetOverrides } from '../forget-overrides.ts'
import { findMachine, type UnitWork } from '../unit-work.ts'
import { idsAtCloud, isLeft, retire } from './destroy.ts'

/**
 * Lets a machine go as it is: its marks at the cloud, then its row, so that a crash in between is repeated. In the undo of a change an
 * imported machine is not let go but waits for its place again.
 */
export async function forget(work: UnitWork): Promise<void> {
  const { deps, operation, stage } = work
  const row = await findMachine(work)
  if (!row) return
  if (mayServe(row)) await retire(work, row)
  if (stage === 'undo' && row.imported && operation.kind !== 'import') {
    const nothing = { installDigest: null, configureDigest: null, firewallDigest: null, releaseNumber: null }
    await deps.store.machines.update(row.id, { ...nothing, status: 'imported', drifted: false })
    return
  }
  if (row.hostId === undefined) await letGo(work, row)
  await work.boundary('forget/gone')
  deps.reach.forget(row.id)
  await forgetOverrides(work, row)
  await deps.store.machines.remove(row.id)
}

async function letGo(work: UnitWork, row: MachineRecord): Promise<void> {
  const { deps } = work
  try {
    const provider = await deps.clouds.provider(row.cloudId)
    for (const id of await idsAtCloud(work, provider, row)) await provider.letGo(id)
  } catch (error) {
    if (!(await isLeft(work, row, error))) throw error
    const message = `${row.name} does not answer, and keeps the mark that is on it: when it is back, kitbag sweep names it`
    work.events.add({ type: 'log', data: { level: 'warn', machine: row.name, message } })
  }
}
