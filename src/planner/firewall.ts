import { digestOf } from '../lib/digest.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { type Admission, type AdmissionSource, everywhere, type Opening } from '../model/firewall.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { isTold, recipeDigest, type World } from './digests.ts'
import { consumersOf, refersTo, usersOf } from './links.ts'

/** The recipe, and the name of the extra, that makes a machine let in only what it shall. */
export const firewallName = 'firewall'

type Declared = Pick<ReleaseSpec, 'recipes'>

/**
 * What may come to a component's machines beside SSH: what its recipe and what else runs on them open, for those who refer to it. Sorted,
 * each port once. Pure.
 */
export function admissionsOf(
  { recipes }: Declared,
  components: ResolvedComponent[],
  component: ResolvedComponent,
): Admission[] {
  const byDoor = new Map<string, Admission>()
  const admit = (protocol: Opening['protocol'], port: number | undefined, sources: AdmissionSource[]) => {
    if ((protocol !== 'vrrp' && port === undefined) || sources.length === 0) return
    const key = `${protocol} ${port ?? ''}`
    const known = byDoor.get(key)?.sources ?? []
    byDoor.set(key, { protocol, ...(port !== undefined && { port }), sources: merged([...known, ...sources]) })
  }
  const own = component.port ?? recipes[component.recipe]?.defaultPort
  for (const { protocol, port, from } of openingsOf(recipes, component))
    admit(protocol, protocol === 'vrrp' ? undefined : (port ?? own), sourcesOf(components, component, from))
  if (component.public === true) admit('tcp', own, everywhere)
  if (Array.isArray(component.public))
    admit(
      'tcp',
      own,
      component.public.map((network) => ({ network })),
    )
  return [...byDoor.values()].sort((a, b) => compare(doorOf(a), doorOf(b)))
}

/** Ports that are listened on on a component's machines, beside SSH, whoever may come to them. Sorted, each once. Pure. */
export function portsOf(
  { recipes }: Declared,
  component: ResolvedComponent,
): { protocol: 'tcp' | 'udp'; port: number }[] {
  const own = component.port ?? recipes[component.recipe]?.defaultPort
  const all = [{ protocol: 'tcp' as const, port: own }, ...openingsOf(recipes, component)]
  const byDoor = new Map<string, { protocol: 'tcp' | 'udp'; port: number }>()
  for (const { protocol, port = own } of all)
    if (protocol !== 'vrrp' && port !== undefined)
      byDoor.set(doorOf({ protocol, port, sources: [] }), { protocol, port })
  return [...byDoor].sort(([a], [b]) => compare(a, b)).map(([, door]) => door)
}

/** What listens on a component's machines: its own recipe or service, its figures, and what services put there. */
function openingsOf(recipes: ReleaseSpec['recipes'], component: ResolvedComponent): Opening[] {
  const { opens, recipe, metrics, extras = [] } = component
  return [
    ...(opens ?? recipes[recipe]?.opens ?? [{ protocol: 'tcp' as const, from: 'users' as const }]),
    ...(metrics ? [{ protocol: 'tcp' as const, port: metrics.port, from: 'observers' as const }] : []),
    ...extras.flatMap((extra) => recipes[extra.recipe]?.opens ?? []),
  ]
}

function sourcesOf(
  components: ResolvedComponent[],
  component: ResolvedComponent,
  from: Opening['from'],
): AdmissionSource[] {
  const { name } = component
  const consumers = consumersOf(components, name)
  // Machines that name each other are users of their own component.
  const itself = refersTo(component, name) ? [name] : []
  switch (from) {
    case 'anyone':
      return everywhere
    case 'peers':
      return [{ component: name }]
    case 'users':
      return [...consumers, ...(component.observer ? [] : itself)].map((user) => ({ component: user }))
    case 'observers': {
      const observers = usersOf(components, name).filter((user) => !consumers.includes(user))
      return [...observers, ...(component.observer ? itself : [])].map((user) => ({ component: user }))
    }
  }
}

/** Each once and sorted; who lets in everybody need not name anybody. */
function merged(sources: AdmissionSource[]): AdmissionSource[] {
  const byName = new Map(sources.map((source) => [nameOf(source), source]))
  const open = everywhere.map(nameOf)
  const all = open.every((name) => byName.has(name)) ? everywhere : [...byName.values()]
  return [...all].sort((a, b) => compare(nameOf(a), nameOf(b)))
}

function nameOf(source: AdmissionSource): string {
  return 'network' in source ? source.network : source.component
}

function doorOf({ protocol, port }: Admission): string {
  return `${protocol} ${String(port ?? 0).padStart(5, '0')}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Components whose machines are let in by a component's, itself included where they let in each other. */
export function admittedBy(
  declared: Declared,
  components: ResolvedComponent[],
  component: ResolvedComponent,
): string[] {
  const all = admissionsOf(declared, components, component).flatMap(({ sources }) => sources)
  return [...new Set(all.flatMap((source) => ('component' in source ? [source.component] : [])))].sort()
}

/** Addresses of one family that a set of the rules holds: `from.web.4`. */
interface AddressSet {
  name: string
  type: 'ipv4_addr' | 'ipv6_addr'
  addresses: string[]
}

/** One line of the rules. Without `source` it is for anyone. */
interface Rule {
  /** `vrrp` stands for a protocol of its own. */
  protocol: 'tcp' | 'udp' | 'vrrp'
  port?: number
  family?: 'ip' | 'ip6'
  /** A network, or `@set`. */
  source?: string
}

/** What the recipe of the firewall is rendered from. */
export interface FirewallParameters {
  /** SSH is let in first of all: nothing else can shut Kitbag out. */
  ssh: Rule[]
  sets: AddressSet[]
  rules: Rule[]
}

/** A machine's rules with the addresses as they are now. */
export function firewallParameters(
  { release, components, machines, present = machines, sshFrom = {} }: World,
  component: ResolvedComponent,
  machine: MachineRecord,
): FirewallParameters {
  const admissions = admissionsOf(release, components, component)
  const names = admittedBy(release, components, component)
  const sets = names.flatMap((name) => setsOf(name, present))
  const ssh = sshFrom[machine.cloudId]?.map((network) => ({ network }))
  return {
    ssh: rulesOf({ protocol: 'tcp', port: machine.sshPort, sources: ssh ?? everywhere }),
    sets,
    rules: admissions.flatMap(rulesOf),
  }
}

/** All addresses of a component's machines: which one a connection comes from is the network's choice. */
function setsOf(name: string, machines: MachineRecord[]): AddressSet[] {
  const own = machines.filter((machine) => machine.component === name && isTold(machine))
  const of = (family: 4 | 6) =>
    own
      .flatMap(({ addresses }) => addresses)
      .filter((address) => address.family === family && !address.floating)
      .map(({ address }) => address)
      .sort()
  return [
    { name: `from.${name}.4`, type: 'ipv4_addr', addresses: [...new Set(of(4))] },
    { name: `from.${name}.6`, type: 'ipv6_addr', addresses: [...new Set(of(6))] },
  ]
}

function rulesOf({ protocol, port, sources }: Admission): Rule[] {
  const door = { protocol, ...(port !== undefined && { port }) }
  if (everywhere.every((all) => sources.some((source) => nameOf(source) === nameOf(all)))) return [door]
  return sources.flatMap((source): Rule[] => {
    if ('network' in source)
      return [{ ...door, family: source.network.includes(':') ? 'ip6' : 'ip', source: source.network }]
    return [
      { ...door, family: 'ip', source: `@from.${source.component}.4` },
      { ...door, family: 'ip6', source: `@from.${source.component}.6` },
    ]
  })
}

/** Inputs of a machine's firewall, addresses included; undefined: it has none. */
export function firewallDigest(world: World, component: ResolvedComponent, machine: MachineRecord): string | undefined {
  const extra = component.extras?.find(({ name }) => name === firewallName)
  if (!extra) return undefined
  return digestOf({
    recipe: recipeDigest(world.release, extra),
    parameters: firewallParameters(world, component, machine) as never,
  })
}
