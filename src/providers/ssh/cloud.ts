import { isIP } from 'node:net'
import { sizeWord } from '../../lib/machine-sizes.ts'
import { refused } from '../../lib/survey/survey.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { MachineTags, Provider, ProviderEnvironment, ProviderMachine, ProviderSsh } from '../contract.ts'
import { claimMachine } from './acquire.ts'
import { type Claim, claimId, dropClaimCommand, parseClaim, readClaimCommand } from './claim.ts'
import { findings } from './findings.ts'
import { giveBack } from './give-back.ts'
import { images } from './images.ts'
import type { OwnedMachine, OwnedMachines } from './owned.ts'
import { type Survey, survey } from './survey.ts'

export interface CloudParts {
  name: string
  owned: OwnedMachines
  purge: boolean
  ssh: ProviderSsh
  installation: string
  log: ProviderEnvironment['log']
}

/** A look at one machine: what it said, or why it said nothing. */
export type Look = { machine: OwnedMachine } & ({ found: Survey } | { error: unknown })

/** Machines looked at side by side: each is one connection, and a process there. */
const sideBySide = 16

/** Milliseconds that a claimed machine has to show its mark. */
const patience = 15_000

export function createCloud(parts: CloudParts): Provider {
  const { owned, purge, ssh, installation, log } = parts
  const claiming = new Map<string, Promise<ProviderMachine>>()

  async function look(machine: OwnedMachine): Promise<Look> {
    try {
      return { machine, found: await survey(ssh, await owned.access(machine)) }
    } catch (error) {
      return { machine, error }
    }
  }
  const lookAtAll = () => atMost(sideBySide, owned.all, look)

  /** The mark that a machine carries now. Throws when it cannot be looked at. */
  async function readClaim(machine: OwnedMachine): Promise<Claim | undefined> {
    const access = await owned.access(machine)
    const answer = await ssh.exec(access, readClaimCommand, { root: true, timeout: patience })
    if (answer.status !== 0) throw refused(access, answer)
    return parseClaim(answer.stdout)
  }

  async function present(machine: OwnedMachine, claim: Claim): Promise<ProviderMachine> {
    const { name, token, installation, deployment, machine: id } = claim
    const { address, user, port } = machine
    const family = isIP(address) === 6 ? 6 : 4
    return {
      id: claimId(machine.name, token),
      name,
      tags: { installation, deployment, machine: id },
      status: 'running',
      addresses: [{ address, family, scope: isPrivate(address) ? 'private' : 'public', network: parts.name }],
      user,
      sshPort: port,
      hostKey: (await owned.access(machine)).hostKey,
    }
  }

  /** The machine of an id, and its mark, if that is the one that the id is about. */
  async function held(id: string): Promise<{ machine: OwnedMachine; claim: Claim } | undefined> {
    const machine = machineOf(id)
    const claim = machine && (await readClaim(machine))
    if (!machine || !claim || claim.installation !== installation) return undefined
    return claimId(machine.name, claim.token) === id ? { machine, claim } : undefined
  }

  const machineOf = (id: string) => (id.includes('~') ? owned.find(id.slice(0, id.lastIndexOf('~'))) : undefined)

  async function marked(tags: Partial<MachineTags>) {
    const looks = await atMost(sideBySide, owned.all, async (machine) => {
      try {
        return { machine, claim: await readClaim(machine) }
      } catch (error) {
        return { machine, error }
      }
    })
    const away = looks.flatMap(({ machine, error }) => (error === undefined ? [] : [{ machine, error }]))
    const found = looks.flatMap(({ machine, claim }) => {
      const fits =
        claim && (['installation', 'deployment', 'machine'] as const).every((tag) => isSo(tags[tag], claim[tag]))
      return fits ? [{ machine, claim }] : []
    })
    return { found, away }
  }

  const cloud: Provider = {
    async catalog() {
      const regions = [...new Set(owned.all.flatMap(({ region }) => region ?? []))].sort()
      const zonesOf = (id: string) => owned.all.flatMap(({ region, zone }) => (region === id && zone ? [zone] : []))
      return {
        regions: regions.map((id) => ({ id, zones: [...new Set(zonesOf(id))].sort() })),
        images: images.map((word) => ({ word, id: word })),
        sizes: [],
      }
    },
    async resolve(requirements, placement) {
      return resolve(parts, requirements, placement)
    },
    createMachine(request, { token, tags }) {
      const known = claiming.get(token)
      if (known) return known
      const attempt = claimMachine(parts, { request, token, tags, looks: lookAtAll }).then(({ machine, claim }) =>
        present(machine, claim),
      )
      claiming.set(token, attempt)
      const done = () => claiming.delete(token)
      attempt.then(done, done)
      return attempt
    },
    async getMachine(id) {
      const found = await held(id)
      return found && present(found.machine, found.claim)
    },
    async route(id) {
      const machine = machineOf(id)
      return machine ? owned.route(machine) : {}
    },
    async listMachines({ tags }) {
      const { found, away } = await marked(tags)
      // One machine that is off must not hold up what is to be done about all others. A mark on it is found when it is back, by a sweep.
      for (const { machine, error } of away)
        log('warn', `${machine.name}: whether it carries a mark is not known: ${(error as Error).message}`)
      return Promise.all(found.map(({ machine, claim }) => present(machine, claim)))
    },
    async destroyMachine(id) {
      const found = await held(id)
      if (found) await giveBack(ssh, await owned.access(found.machine), { token: found.claim.token, purge })
    },
    async letGo(id) {
      const found = await held(id)
      if (!found) return
      const access = await owned.access(found.machine)
      const answer = await ssh.exec(access, dropClaimCommand(found.claim.token), { root: true, timeout: patience })
      if (answer.status !== 0) throw refused(access, answer)
    },
    test: async () => findings({ ...parts, looks: await lookAtAll() }),
    async residue(of, known = []) {
      const { found } = await marked({ installation: of })
      return found
        .filter(({ machine, claim }) => !known.includes(claimId(machine.name, claim.token)))
        .map(({ machine, claim }) => `the mark of ${claim.name} on ${machine.name}`)
    },
  }
  return cloud
}

function resolve(
  { owned, name }: CloudParts,
  requirements: MachineRequirements,
  { region, zones = [], labels, ordinal }: Parameters<Provider['resolve']>[1],
): ResolvedMachineSpec {
  const require = (what: string, found: string, known: (string | undefined)[]) => {
    const words = [...new Set(known.filter((word) => word !== undefined))].sort()
    if (words.includes(found)) return
    const list = words.join(', ') || 'none'
    throw new KitbagError('not-supported', `cloud ${name}: there is no ${what} "${found}"; known are ${list}`, {
      fix: words.length > 0 ? `Write one of ${list}.` : `Leave it out, or give the machines of the cloud a ${what}.`,
    })
  }
  require('image', requirements.image, images)
  if (region !== undefined) require('region', region, owned.all.map((machine) => machine.region))
  const here = owned.all.filter((machine) => region === undefined || machine.region === region)
  for (const zone of zones) require('zone', zone, here.map((machine) => machine.zone))
  const zone = zones[(ordinal - 1) % zones.length]
  for (const [label, value] of Object.entries(labels ?? {})) {
    const known = here.map((machine) => machine.labels[label])
    require(`machine with the label ${label}`, value, known)
  }
  return {
    size: sizeWord(requirements),
    image: requirements.image,
    ...(region !== undefined && { region }),
    ...(zone !== undefined && { zone }),
    ...(labels && { labels }),
    requirements,
  }
}

function isSo(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found
}

/** RFC 1918, RFC 6598, link-local, loopback, RFC 4193. */
function isPrivate(address: string): boolean {
  return /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe[89ab]|::1$)/i.test(
    address,
  )
}

async function atMost<T, R>(count: number, items: T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await act(items[i] as T)
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker))
  return results
}
