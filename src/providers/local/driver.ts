import { z } from 'zod'
import { isNetwork } from '../../lib/network.ts'
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

const price = z.number().min(0).default(0)

/** One's own box costs nothing, unless it is said to. */
const settingsSchema = z.strictObject({
  hourlyPrice: z
    .strictObject({ cpu: price.describe('Of one virtual CPU'), memory: price.describe('Of 1 GiB') })
    .optional()
    .describe("What machines count as in an autoscaler's `maxMonthlyCost`"),
  sshFrom: z
    .array(z.string().refine(isNetwork, 'must be a network such as 203.0.113.0/24'))
    .min(1)
    .max(100)
    .optional()
    .describe("Networks that SSH may come from, those of Kitbag's own connections among them; default: anywhere"),
})
const credentialsSchema = z.strictObject({})

type Settings = z.infer<typeof settingsSchema>
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
  connect: async ({ name, settings }, environment) =>
    connect(await localCloud(name, environment), settingsSchema.parse(settings)),
}

function connect(cloud: LocalCloud, { hourlyPrice }: Settings): Provider {
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
    hourlyPrice: ({ requirements: { cpu, memory } }) =>
      hourlyPrice === undefined ? 0 : cpu * hourlyPrice.cpu + (memory / 2 ** 30) * hourlyPrice.memory,
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
