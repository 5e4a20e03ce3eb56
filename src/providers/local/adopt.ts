import { rm } from 'node:fs/promises'
import type { LocalCloud } from './cloud.ts'
import { boot } from './create-machine.ts'
import { imageRoot } from './images.ts'
import { withLock } from './lock.ts'
import { ensureNetwork } from './network.ts'
import { machineFolders, readRecord } from './records.ts'
import { destroyMachine } from './remove-machine.ts'

/**
 * Brings this box to what its records say, after it or a process of ours was cut off: machines that shall run are booted (all at
 * once), removals finished. A machine that was still being made waits for the next call with its token.
 */
export async function adopt(cloud: LocalCloud): Promise<void> {
  const ids = await machineFolders(cloud.paths, cloud.installation)
  if (ids.length === 0) return
  await withLock(cloud.paths.networkLock, () => ensureNetwork(cloud.paths, cloud.installation))
  const results = await Promise.allSettled(ids.map((id) => adoptMachine(cloud, id)))
  for (const result of results) {
    if (result.status === 'rejected')
      cloud.log('error', 'local: a machine could not be taken over', { error: result.reason })
  }
}

async function adoptMachine(cloud: LocalCloud, id: string): Promise<void> {
  const record = await readRecord(cloud.paths, id)
  if (record && record.cloud !== cloud.name) return
  if (!record || record.state === 'removing') {
    await destroyMachine(cloud, id)
    return
  }
  if (record.state === 'made') await bootAgain(cloud, id)
}

async function bootAgain(cloud: LocalCloud, id: string): Promise<void> {
  const { lock } = cloud.paths.machine(id)
  await withLock(lock, async () => {
    const record = await readRecord(cloud.paths, id)
    if (record?.state === 'made') await boot(cloud, record, imageRoot(cloud.cache, record.image))
    else if (!record) await rm(lock, { force: true })
  })
}
