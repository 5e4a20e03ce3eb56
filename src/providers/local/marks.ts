import { join } from 'node:path'
import { readState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import type { FoundMachine, MachineMarks, ProviderMachine } from '../contract.ts'
import type { LocalCloud } from './cloud.ts'
import { withLock } from './lock.ts'
import { isMachineId } from './names.ts'
import { type MachineRecord, readRecord, readRecords, writeRecord } from './records.ts'

const noTags = { installation: '', deployment: '', machine: '' }

/** Machines on this box that can be taken in are those that were let go: whoever else runs machines here does so by other means. */
export function marks(cloud: LocalCloud, present: (record: MachineRecord) => Promise<ProviderMachine>): MachineMarks {
  return {
    async find(query) {
      if ('tag' in query)
        throw new KitbagError('not-supported', 'machines on this box have no tags', { fix: 'Name one: --id NAME' })
      const records = await readRecords(cloud.paths, cloud.installation)
      const own = records.filter(({ cloud: name, state }) => name === cloud.name && state === 'made')
      const exact = own.filter(({ id }) => id === query.id)
      const wanted = exact.length > 0 ? exact : own.filter(({ name }) => name === query.id)
      return Promise.all(wanted.map(async (record) => toFound(cloud, record, await present(record))))
    },
    put: (id, { name, tags }) =>
      change(cloud, id, (record) => {
        const { machine } = record.tags
        if (machine !== '' && machine !== tags.machine)
          throw new KitbagError('conflict', `local: ${id} was taken in as ${record.name} just now`)
        return { ...record, name, tags, imported: true }
      }),
  }
}

/** It runs on, also after the box was started again, and has its address. */
export async function letGo(cloud: LocalCloud, id: string): Promise<void> {
  const record = isMachineId(cloud.installation, id) ? await readRecord(cloud.paths, id) : undefined
  if (!record || record.cloud !== cloud.name) return
  await change(cloud, id, (now) => ({ ...now, tags: noTags, imported: true }))
}

/** Whether it is nobody's. */
export async function isFree(cloud: LocalCloud, id: string): Promise<boolean> {
  return (await readRecord(cloud.paths, id))?.tags.installation === ''
}

/** Ids of those that are nobody's. */
export async function freeMachines(cloud: LocalCloud): Promise<string[]> {
  const records = await readRecords(cloud.paths, cloud.installation)
  return records.flatMap(({ id, tags }) => (tags.installation === '' ? [id] : []))
}

async function change(cloud: LocalCloud, id: string, to: (record: MachineRecord) => MachineRecord): Promise<void> {
  await withLock(cloud.paths.machine(id).lock, async () => {
    const record = await readRecord(cloud.paths, id)
    if (record?.state === 'made') await writeRecord(cloud.paths, to(record))
    else throw new KitbagError('not-found', `local: there is no machine ${id} (any more)`)
  })
}

async function toFound(
  cloud: LocalCloud,
  { id, tags, image }: MachineRecord,
  machine: ProviderMachine,
): Promise<FoundMachine> {
  const { name, status, addresses } = machine
  const hostKey = await readState(join(cloud.paths.machine(id).upper, 'etc/ssh/ssh_host_ed25519_key.pub'))
  return {
    id,
    name,
    status,
    addresses: addresses.filter(({ floating }) => !floating),
    ...(tags.installation !== '' && { tags }),
    image,
    user: machine.user,
    ...(hostKey !== undefined && { hostKey: hostKey.trim() }),
  }
}
