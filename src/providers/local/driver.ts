import { z } from 'zod'
import type { Address } from '../../model/machine.ts'
import type { MachineTags, Provider, ProviderDriver, ProviderMachine } from '../contract.ts'
import { adopt } from './adopt.ts'
import { type LocalCloud, localCloud } from './cloud.ts'
import { createMachine } from './create-machine.ts'
import { findings } from './findings.ts'
import { loginUser } from './guest-files.ts'
import { imageId, suites } from './images.ts'
import { freeMachines, isFree, letGo, marks } from './marks.ts'
import { isMachineId } from './names.ts'
import { prepare } from './prepare.ts'
import { livingProcess } from './processes.ts'
import { type MachineRecord, readRecord, readRecords } from './records.ts'
import { destroyMachine } from './remove-machine.ts'
import { residue } from './residue.ts'
import { resolve } from './resolve.ts'
import { type Settings, settingsSchema } from './settings.ts'

const credentialsSchema = z.strictObject({})

type Nothing = z.infer<typeof credentialsSchema>

/** Real machines on the user's own Linux box: systemd-nspawn on an overlay of a vanilla Debian, on a bridge of their own. */
export const driver: ProviderDriver<Settings, Nothing> = {
  kind: 'local',
  summary: 'Machines on this box itself (Linux, root)',
  capabilities: {
    images: Object.keys(suites),
    userData: true,
    fractionalCpu: true,
    zones: false,
    floatingAddress: true,
    imports: true,
  },
  settings: settingsSchema,
  credentials: credentialsSchema,
  prepare,
  connect: async ({ name }, environment) => connect(await localCloud(name, environment)),
}

function connect(cloud: LocalCloud): Provider {
  const own = async (id: string) => {
    const record = isMachineId(cloud.installation, id) ? await readRecord(cloud.paths, id) : undefined
    return record?.cloud === cloud.name && record.tags.installation === cloud.installation ? record : undefined
  }
  return {
    catalog: async () => ({
      regions: [],
      images: Object.keys(suites).map((word) => ({ word, id: imageId(word) })),
      sizes: [],
    }),
    resolve: async (requirements, placement) => resolve(requirements, placement),
    createMachine: async (request, identity) => toMachine(cloud, await createMachine(cloud, request, identity)),
    getMachine: async (id) => {
      const record = await own(id)
      return record && toMachine(cloud, record)
    },
    listMachines: async ({ tags }) => {
      const records = await readRecords(cloud.paths, cloud.installation)
      const wanted = records.filter((record) => record.cloud === cloud.name && matches(record.tags, tags))
      return Promise.all(wanted.map((record) => toMachine(cloud, record)))
    },
    destroyMachine: async (id) => {
      if (isMachineId(cloud.installation, id) && !(await isFree(cloud, id))) await destroyMachine(cloud, id)
    },
    letGo: (id) => letGo(cloud, id),
    marks: marks(cloud, (record) => toMachine(cloud, record)),
    test: () => findings(cloud),
    adopt: () => adopt(cloud),
    residue: async (installation, known = []) =>
      residue(cloud, installation, [...known, ...(await freeMachines(cloud))]),
  }
}

function matches(tags: MachineTags, wanted: Partial<MachineTags>): boolean {
  const names = ['installation', 'deployment', 'machine'] as const
  return names.every((name) => wanted[name] === undefined || tags[name] === wanted[name])
}

async function toMachine(cloud: LocalCloud, record: MachineRecord): Promise<ProviderMachine> {
  const { id, name, tags, address, floating } = record
  const place = { family: 4, scope: 'private', network: cloud.installation } as const
  const addresses: Address[] = [{ address, ...place }]
  if (floating) addresses.push({ address: floating.address, ...place, floating: true })
  return {
    id,
    name,
    tags,
    status: await statusOf(cloud, record),
    addresses,
    user: loginUser,
    sshPort: 22,
    ...(record.imported && { imported: true }),
  }
}

/** A machine without its supervisor does not come back by itself, so it counts as stopped even while its guest still runs. */
async function statusOf(cloud: LocalCloud, { id, state }: MachineRecord): Promise<ProviderMachine['status']> {
  if (state === 'making') return 'pending'
  return state === 'made' && (await livingProcess(cloud.paths.machine(id).supervisor)) ? 'running' : 'stopped'
}
