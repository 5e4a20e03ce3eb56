import { mkdir, rm } from 'node:fs/promises'
import { readState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import type { CreateMachineRequest, MachineTags } from '../contract.ts'
import { guestSources } from './apt-sources.ts'
import { readBoxApt } from './box-apt.ts'
import { ensureImage } from './build-image.ts'
import type { LocalCloud } from './cloud.ts'
import { guestFiles, writeGuestFiles } from './guest-files.ts'
import { imageWord, suites } from './images.ts'
import { ensureKernelLimits } from './kernel-limits.ts'
import { withLock } from './lock.ts'
import { machineId } from './names.ts'
import { ensureNetwork, writeNetwork } from './network.ts'
import { type MachineRecord, readRecord, readRecords, writeRecord } from './records.ts'
import { removeMachine } from './remove-machine.ts'
import { boxResolvers } from './resolvers.ts'
import { chooseAddress, gatewayOf } from './subnets.ts'
import { startSupervisor } from './supervisor.ts'

/**
 * Makes the machine of a token and boots it, or takes up where a call with the same token, finished or killed, left off: the record
 * is written first (it holds the address), then the layer, then the record says `made`, then the supervisor starts.
 */
export async function createMachine(
  cloud: LocalCloud,
  request: CreateMachineRequest,
  identity: { token: string; tags: MachineTags },
): Promise<MachineRecord> {
  const id = machineId(cloud.installation, cloud.name, identity.token)
  const image = await ensureImage(cloud.cache, request.spec.image, (detail) => {
    cloud.log('debug', `local: ${request.spec.image}: ${detail}`)
  })
  return withLock(cloud.paths.machine(id).lock, async () => {
    const found = await readRecord(cloud.paths, id)
    if (found && found.token !== identity.token) throw collision(found, identity.token)
    if (found?.state === 'removing') await removeMachine(cloud, id)
    const record = found && found.state !== 'removing' ? found : await reserve(cloud, id, request, identity)
    const made = record.state === 'made' ? record : await makeLayer(cloud, record, request, image)
    await boot(cloud, made, image)
    return made
  })
}

/** Starts a machine that was made, unless it runs or was powered off from inside. */
export async function boot(cloud: LocalCloud, record: MachineRecord, image: string): Promise<void> {
  const paths = cloud.paths.machine(record.id)
  if ((await readState(paths.stopped)) !== undefined) return
  await ensureKernelLimits()
  await startSupervisor(paths, record, image, cloud.confinement)
}

/** Writes the record with an address that no other machine has, and the one that it shares where it shall share one. */
async function reserve(
  cloud: LocalCloud,
  id: string,
  { name, spec }: CreateMachineRequest,
  { token, tags }: { token: string; tags: MachineTags },
): Promise<MachineRecord> {
  return withLock(cloud.paths.networkLock, async () => {
    const network = await ensureNetwork(cloud.paths, cloud.installation)
    const records = await readRecords(cloud.paths, cloud.installation)
    const used = records.flatMap(({ address, floating }) => [address, ...(floating ? [floating.address] : [])])
    const address = chooseAddress(network.subnet, used, network.last)
    const shared = spec.requirements.floatingAddress
    const known = records.find(
      ({ floating, tags: other }) => floating?.name === shared && other.deployment === tags.deployment,
    )
    const floating = known?.floating?.address ?? chooseAddress(network.subnet, used, address)
    if (!address || (shared !== undefined && !floating)) {
      throw new KitbagError(
        'capacity-exceeded',
        `local: all ${used.length} addresses of ${network.subnet} are in use`,
        {
          fix: 'Destroy deployments that are not needed, or use a second installation (another KITBAG_HOME).',
          machine: name,
        },
      )
    }
    const { cpu, memory } = spec.requirements
    const owner = { id, name, token, cloud: cloud.name, tags }
    const record: MachineRecord = {
      ...owner,
      state: 'making',
      image: spec.image,
      cpu,
      memory,
      address,
      ...(shared !== undefined && floating && { floating: { name: shared, address: floating } }),
    }
    const last = shared !== undefined && !known && floating ? floating : address
    await writeNetwork(cloud.paths, { ...network, last })
    await writeRecord(cloud.paths, record)
    return record
  })
}

/** The machine's own layer over the image, afresh. */
async function makeLayer(
  cloud: LocalCloud,
  record: MachineRecord,
  request: CreateMachineRequest,
  image: string,
): Promise<MachineRecord> {
  const { upper, work, root } = cloud.paths.machine(record.id)
  for (const folder of [upper, work, root]) await rm(folder, { recursive: true, force: true })
  await mkdir(upper, { mode: 0o755 })
  await mkdir(work, { mode: 0o700 })
  await mkdir(root, { mode: 0o755 })
  const [apt, network, resolvers] = await Promise.all([readBoxApt(), subnetOf(cloud), boxResolvers()])
  const files = guestFiles(
    request,
    { address: record.address, gateway: gatewayOf(network), resolvers },
    { sources: guestSources(apt.mirrors, suites[imageWord(record.image)] ?? ''), config: apt.config },
  )
  await writeGuestFiles(upper, image, files)
  const made: MachineRecord = { ...record, state: 'made' }
  await writeRecord(cloud.paths, made)
  return made
}

async function subnetOf(cloud: LocalCloud): Promise<string> {
  const network = await withLock(cloud.paths.networkLock, () => ensureNetwork(cloud.paths, cloud.installation))
  return network.subnet
}

function collision(found: MachineRecord, token: string): KitbagError {
  return new KitbagError('internal', `local: the tokens ${found.token} and ${token} both name the machine ${found.id}`)
}
