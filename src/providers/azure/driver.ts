import { inTurn } from '../../lib/in-turn.ts'
import { type JumpHost, jumpHost } from '../../lib/jump-host.ts'
import type { Provider, ProviderDriver } from '../contract.ts'
import { type Azure, connectAzure } from './azure.ts'
import { readConsole } from './console.ts'
import { createMachine } from './create-machine.ts'
import { destroyMachine } from './destroy-machine.ts'
import { during, patiently } from './failures.ts'
import { findings } from './findings.ts'
import { applyFirewall } from './firewall.ts'
import { imageLines } from './images.ts'
import { listMachines, machineReader, vmReader } from './machines.ts'
import { letGo, marks } from './marks.ts'
import { keepPlaces } from './places.ts'
import { release } from './release.ts'
import { residue } from './residue.ts'
import { catalog, keepOffers, resolve } from './resolve.ts'
import { type Credentials, credentialsSchema, type Settings, settingsSchema } from './settings.ts'
import { ensureShared } from './shared.ts'
import { staticAddresses } from './static-addresses.ts'

/** Virtual machines of Microsoft Azure, in one region of one subscription. */
export const driver: ProviderDriver<Settings, Credentials> = {
  kind: 'azure',
  summary: 'Virtual machines of Microsoft Azure',
  capabilities: {
    images: Object.keys(imageLines),
    userData: true,
    fractionalCpu: false,
    zones: true,
    floatingAddress: false,
    imports: true,
  },
  settings: settingsSchema,
  credentials: credentialsSchema,
  connect: async ({ name, settings: given, credentials }, environment) => {
    const settings = settingsSchema.parse(given)
    const azure = await connectAzure(settings, credentialsSchema.parse(credentials), environment)
    return connect(azure, jumpHost(name, settings.jump, environment))
  },
}

function connect(azure: Azure, jump: JumpHost | undefined): Provider {
  const places = keepPlaces(azure)
  const kept = keepOffers(azure)
  // Azure refuses a second change of something that is still being changed.
  const turn = inTurn()
  const read = machineReader(azure)
  const readVm = vmReader(azure)
  return {
    catalog: () => during('catalog', () => catalog(azure, kept)),
    resolve: (requirements, placement) => resolve(azure, kept, requirements, placement),
    createMachine: (request, identity) =>
      turn(identity.token, () =>
        patiently(`create ${request.name}`, async () => {
          try {
            return await createMachine(azure, places, kept, request, identity)
          } catch (error) {
            // Also when what the machines share was removed by somebody: the next call makes it anew.
            places.forget(identity.tags)
            throw error
          }
        }),
      ),
    secure: (owner, firewall) =>
      patiently(`firewall of ${owner.deployment}`, async () => {
        if (azure.settings.securityGroup !== undefined) return
        const { group } = await ensureShared(azure, owner)
        await applyFirewall(azure, owner, group, firewall)
      }),
    release: (owner) => {
      places.forget(owner)
      return patiently(`release ${owner.deployment}`, () => release(azure, owner))
    },
    ...(azure.settings.publicAddresses && { staticAddresses: staticAddresses(azure, turn) }),
    getMachine: (id) => during(`read ${id}`, () => read(id)),
    listMachines: ({ tags }) => during('list machines', () => listMachines(azure, tags)),
    console: (id) => during(`console of ${id}`, () => readConsole(azure, id)),
    destroyMachine: (id) => turn(id, () => patiently(`destroy ${id}`, () => destroyMachine(azure, readVm, id))),
    letGo: (id) => turn(id, () => patiently(`let go of ${id}`, () => letGo(azure, id))),
    marks: marks(azure, places),
    ...(jump && { route: async () => ({ jump: await jump.access() }) }),
    test: async () => [...(await findings(azure, kept)), ...(jump ? [await jump.finding()] : [])],
    residue: (installation, known = []) => during('residue', () => residue(azure, installation, known)),
  }
}
