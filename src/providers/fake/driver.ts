import { join } from 'node:path'
import { z } from 'zod'
import { sizeWord } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Address } from '../../model/machine.ts'
import type { FoundMachine, Provider, ProviderDriver, ProviderMachine } from '../contract.ts'
import { type CloudState, cloudState, type FakeMachine } from './cloud-state.ts'
import { faultyCaller } from './faults.ts'
import { type FakeSettings, fakeSettingsSchema } from './settings.ts'
import { fakeStaticAddresses } from './static-addresses.ts'

const images = ['debian-12', 'debian-13']

const credentialsSchema = z.strictObject({})

/** A cloud of files, with faults on demand: machines that exist by name only. Their addresses are never to be connected to. */
export const driver: ProviderDriver<FakeSettings, z.infer<typeof credentialsSchema>> = {
  kind: 'fake',
  summary: 'Machines that do not exist, for tests',
  capabilities: { images, userData: true, fractionalCpu: true, zones: false, floatingAddress: false, imports: true },
  settings: fakeSettingsSchema,
  credentials: credentialsSchema,
  connect: async ({ name, settings }, { home, installation }) =>
    connect(cloudState(fakeFolder(home, name)), fakeSettingsSchema.parse(settings), installation),
}

/** Where the fake cloud of that name keeps its machines. */
export function fakeFolder(home: string, cloud: string): string {
  return join(home, 'fake', cloud)
}

function connect(state: CloudState, settings: FakeSettings, installation: string): Provider {
  const call = faultyCaller(state.folder, settings)
  const fixed = fakeStaticAddresses(state.folder)
  const present = async (machine: FakeMachine, looked = false): Promise<ProviderMachine> => {
    const found = await toMachine(state, machine, looked)
    if (!settings.publicAddresses || found.addresses.length === 0) return found
    const [own] = await fixed.list((one) => one.machine === machine.id)
    const address = own?.address ?? machine.address.replace(/^10\./, '100.')
    const open: Address = { address, family: 4, scope: 'public', network: 'internet' }
    return { ...found, addresses: [...found.addresses, { ...open, ...(own && { static: true as const }) }] }
  }
  return {
    catalog: () =>
      call('catalog', '', async ({ regions }) => ({
        regions: regions.map((id) => ({ id, zones: [] })),
        images: images.map((word) => ({ word, id: `img-${word}` })),
        sizes: [],
      })),
    resolve: (requirements, { region }) =>
      call('resolve', '', async ({ regions }) => {
        const { image } = requirements
        if (!images.includes(image)) throw unknown('image', image, images)
        if (region !== undefined && !regions.includes(region)) throw unknown('region', region, regions)
        return {
          size: sizeWord(requirements),
          image: `img-${image}`,
          ...(region !== undefined && { region }),
          requirements,
        }
      }),
    createMachine: ({ name, hostKey }, { token, tags }) =>
      call('createMachine', name, async ({ pendingPolls, capacity }) => {
        if (capacity !== undefined && !(await state.find(token))) await requireRoom(state, capacity)
        const wanted = { name, token, tags, pending: pendingPolls, gone: false, hostKey: hostKey.publicKey }
        return present(await state.create(wanted))
      }),
    getMachine: (id) =>
      call('getMachine', id, async () => {
        const machine = await state.read(id)
        return machine?.tags.installation === installation ? present(machine, true) : undefined
      }),
    listMachines: ({ tags }) =>
      call('listMachines', '', async () => {
        const machines = await state.list()
        const wanted = machines.filter((machine) => matches(machine, tags))
        return Promise.all(wanted.map((machine) => present(machine)))
      }),
    destroyMachine: (id) =>
      call('destroyMachine', id, async () => {
        if ((await state.read(id))?.tags.installation === installation) await state.remove(id)
      }),
    letGo: (id) =>
      call('letGo', id, async () => {
        const machine = await state.read(id)
        if (machine?.tags.installation === installation) await state.write({ ...machine, tags: noTags, imported: true })
      }),
    marks: {
      find: (query) =>
        call('find', '', async () => {
          const machines = (await state.list()).filter(({ gone }) => !gone)
          const wanted = machines.filter(({ id, labels }) =>
            'id' in query ? id === query.id : labels?.[query.tag.name] === query.tag.value,
          )
          return Promise.all(wanted.map((machine) => toFound(state, machine)))
        }),
      put: (id, { name, tags }) =>
        call('put', id, async () => {
          const machine = await state.read(id)
          if (!machine) throw new KitbagError('not-found', `fake: there is no machine ${id} (any more)`)
          if (machine.tags.machine !== '' && machine.tags.machine !== tags.machine)
            throw new KitbagError('conflict', `fake: ${id} was taken in as ${machine.name} just now`)
          await state.write({ ...machine, name, tags, imported: true })
        }),
    },
    secure: ({ deployment }, firewall) => call('secure', '', () => state.secure(deployment, firewall)),
    release: ({ deployment }) =>
      call('release', '', async () => {
        await state.secure(deployment, undefined)
        for (const { name } of await fixed.list((one) => one.deployment === deployment))
          await fixed.remove(deployment, name)
      }),
    ...(settings.publicAddresses && {
      staticAddresses: {
        assign: ({ installation, deployment }, name, id) =>
          call('assignAddress', id, async () => {
            const machine = await state.read(id)
            if (!machine) throw new KitbagError('provider-failed', `fake: there is no machine ${id}`)
            await fixed.assign({ installation, deployment, name }, id)
            return (await present(machine)).addresses
          }),
        list: async (installation) => {
          const found = await fixed.list((one) => one.installation === installation)
          return found.map(({ deployment, name, address }) => ({ deployment, name, address }))
        },
        release: ({ deployment }, name) => call('releaseAddress', name, () => fixed.remove(deployment, name)),
      },
    }),
    test: async () => [{ name: 'fake', ok: true, detail: `machines are files in ${state.folder}` }],
    residue: async (installation, known = []) => {
      const machines = await state.list()
      return machines
        .filter(({ id, tags }) => tags.installation === installation && !known.includes(id))
        .map(({ id, name }) => `machine ${id} ${name}`)
    },
  }
}

/** Looking at a pending machine brings it nearer to running. */
async function toMachine(state: CloudState, machine: FakeMachine, looked = false): Promise<ProviderMachine> {
  const { id, name, tags, address, gone, imported, stopped } = machine
  const pending = machine.pending > 0 && (await state.polls(id, looked)) - (looked ? 1 : 0) < machine.pending
  const status = gone ? 'gone' : stopped ? 'stopped' : pending ? 'pending' : 'running'
  const addresses: ProviderMachine['addresses'] =
    status === 'running' ? [{ address, family: 4, scope: 'private', network: 'fake' }] : []
  return { id, name, tags, status, addresses, user: 'debian', sshPort: 22, ...(imported && { imported: true }) }
}

const noTags = { installation: '', deployment: '', machine: '' }

async function toFound(state: CloudState, machine: FakeMachine): Promise<FoundMachine> {
  const { id, name, tags, status, addresses } = await toMachine(state, machine)
  return { id, name, status, addresses, ...(tags.installation !== '' && { tags }), hostKey: machine.hostKey }
}

function matches({ tags }: FakeMachine, wanted: Partial<FakeMachine['tags']>): boolean {
  const names = ['installation', 'deployment', 'machine'] as const
  return names.every((name) => wanted[name] === undefined || tags[name] === wanted[name])
}

async function requireRoom(state: CloudState, capacity: number): Promise<void> {
  if ((await state.count()) < capacity) return
  throw new KitbagError('capacity-exceeded', `fake: the quota of ${capacity} machines is used up`, {
    fix: 'Destroy machines that are not needed.',
  })
}

function unknown(what: string, found: string, known: string[]): KitbagError {
  return new KitbagError('not-supported', `fake: there is no ${what} "${found}"; known are ${known.join(', ')}`, {
    fix: `Write one of ${known.join(', ')}.`,
  })
}
