import { digestOf } from '../lib/digest.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import type { Admission } from '../model/firewall.ts'
import type { JsonObject } from '../model/json.ts'
import { type MachineRecord, outsideAddresses, preferredAddress } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { referencesIn, type Value } from '../model/value.ts'
import { addressFrom } from './addresses.ts'
import { componentNamed, consumersOf, linksOf, referencesOf, usesConsumers, usesPeers } from './links.ts'

/** What the configure phase of a machine is rendered from, beside the component itself. */
export interface World {
  release: ReleaseSpec
  components: ResolvedComponent[]
  machines: MachineRecord[]
  /** scope -> key -> value. */
  overrides: Record<string, Record<string, JsonObject>>
  /** Reference -> its version, of what services make themselves; absent: there is none. */
  values?: Record<string, string>
  /** Machine id -> a word for the certificate that it serves with, of those that have one of the deployment's own authority. */
  certificates?: Record<string, string>
  /** Whose addresses firewalls know, where that are more than `machines`: those that are about to go still come. */
  present?: MachineRecord[]
  /** Who else may come to the machine in question, see `Unit`. */
  also?: Admission[]
  /** Cloud id -> networks that SSH may come from; of clouds that do not say: from anywhere. */
  sshFrom?: Record<string, string[]>
}

function sourceDigest(release: ReleaseSpec, component: ResolvedComponent): string | null {
  return component.source === undefined ? null : (release.sources[component.source] ?? null)
}

export function recipeDigest(release: ReleaseSpec, { recipe }: Pick<ResolvedComponent, 'recipe'>): string | null {
  return release.recipes[recipe]?.digest ?? null
}

/** Settings without what exists only later: all that an install phase may see. */
function literals(values: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => referencesIn(value).length === 0))
}

/** Inputs of the install phase: recipe, literal settings, source. The same inputs need no second install. */
export function installDigest(release: ReleaseSpec, component: ResolvedComponent): string {
  return digestOf({
    recipe: recipeDigest(release, component),
    source: sourceDigest(release, component),
    settings: literals(component.settings),
    port: component.port ?? null,
    ...(component.extras && {
      extras: component.extras.map((extra) => [extra.name, recipeDigest(release, extra), literals(extra.settings)]),
    }),
  })
}

/**
 * Inputs of a migration: source, command, and the machines whose data it changes. One that ran is not run again, also after going back
 * and forth; a new database is migrated anew.
 */
export function migrationDigest(
  { release, components, machines }: Pick<World, 'release' | 'components' | 'machines'>,
  component: ResolvedComponent,
): string {
  const links = linksOf(components, component.name)
  const data = machines
    .filter(({ stateful, component: owner }) => stateful && links.includes(owner))
    .map(({ id }) => id)
  return digestOf({ source: sourceDigest(release, component), migrate: component.migrate ?? null, data: data.sort() })
}

/** Whether others are told of a machine. */
export function isTold({ status }: MachineRecord): boolean {
  return status !== 'destroying' && status !== 'lost'
}

/** Names and addresses of a component's machines, as facts have them for a machine of the given cloud. */
function machinesOf(machines: MachineRecord[], component: string, from: string): (string | undefined)[][] {
  return machines
    .filter((machine) => machine.component === component && isTold(machine))
    .sort((a, b) => a.ordinal - b.ordinal)
    .map((machine) => [machine.name, addressFrom(machine, from)?.address])
    .filter(([, address]) => address !== undefined)
}

/**
 * Inputs of the configure phase of one machine: everything that its files are rendered from, facts included. The activity computes it
 * before and after its program, the planner before a change: equal digests mean that there is nothing to do.
 */
export function configureDigest(world: World, component: ResolvedComponent, machine: MachineRecord): string {
  const { release, machines, components } = world
  const { name, settings, env, start, port, extras } = component
  const recipe = release.recipes[component.recipe]
  const consumers = usesConsumers(recipe) ? consumersOf(components, name) : []
  return digestOf({
    install: installDigest(release, component),
    settings,
    env,
    start: start ?? null,
    port: port ?? null,
    generated: generatedVersions(release, name),
    ...(extras && { extras: extras.map((extra) => [extra.name, extra.settings]) }),
    facts: factsBehind(world, referencesOf(component), new Set([name]), machine.cloudId),
    overrides: overriddenScopes(component).map((scope) => [scope, scopeDigest(world.overrides[scope] ?? {})]),
    consumers: consumers.map((consumer) => [consumer, machinesOf(machines, consumer, machine.cloudId)]),
    ...(usesPeers(recipe) && { peers: machinesOf(machines, name, machine.cloudId) }),
    ...(component.names && told(world, component, machine.cloudId)),
    ...(recipe?.tls && { tls: world.certificates?.[machine.id] ?? null }),
    self: [machine.name, preferredAddress(machine.addresses)?.address ?? '', machine.user],
    size: [component.machine.cpu, component.machine.memory],
  })
}

/** Where the world finds what a name server tells of, as far as that is somewhere else than where the deployment's machines do. */
function told(
  { machines, present = machines }: World,
  component: ResolvedComponent,
  from: string,
): { outside?: unknown[] } {
  const owners = [component.name, ...referencesOf(component).map((reference) => reference.split('.')[0] ?? '')]
  const outside = [...new Set(owners)].sort().flatMap((owner) => {
    const own = machines.filter((machine) => machine.component === owner && isTold(machine))
    const open = outsideAddresses(own, present).sort()
    const inside = new Set(machinesOf(machines, owner, from).map(([, address]) => address))
    return open.every((address) => inside.has(address)) ? [] : [[owner, open]]
  })
  return outside.length > 0 ? { outside } : {}
}

/** Of what was read once; who reads again and finds the same gets the same object. */
const scopeDigests = new WeakMap<object, string>()

function scopeDigest(scope: Record<string, JsonObject>): string {
  const known = scopeDigests.get(scope) ?? digestOf(scope)
  scopeDigests.set(scope, known)
  return known
}

function overriddenScopes(component: ResolvedComponent): string[] {
  const scopes = referencesOf(component).filter((reference) => reference.startsWith('overrides.'))
  return [...new Set(scopes.map((reference) => reference.slice('overrides.'.length)))].sort()
}

function generatedVersions({ secretVersions }: ReleaseSpec, component: string): [string, number][] {
  return Object.entries(secretVersions)
    .filter(([name]) => name.startsWith(`${component}.`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * What the values of references are made from. `${web.machines}` is addresses and a port, whatever else web is; an output that a recipe
 * declares is made from the recipe and from all settings of its component, which may refer to others in turn.
 */
function factsBehind(world: World, references: string[], above: Set<string>, from: string): unknown[] {
  return [...new Set(references)].sort().flatMap((reference): unknown[] => {
    const [root = '', ...rest] = reference.split('.')
    const name = rest.join('.')
    if (root === 'secrets') return [[reference, world.release.secretVersions[name] ?? null]]
    const owner = componentNamed(world.components, root)
    if (!owner) return world.values?.[reference] === undefined ? [] : [[reference, world.values[reference]]]
    const basic = [reference, machinesOf(world.machines, root, from), owner.port ?? null]
    const declared = world.release.recipes[owner.recipe]?.outputs.includes(name)
    return [declared && !above.has(root) ? [...basic, outputsBehind(world, owner, above, from)] : basic]
  })
}

function outputsBehind(world: World, owner: ResolvedComponent, above: Set<string>, from: string): unknown {
  return {
    recipe: recipeDigest(world.release, owner),
    source: sourceDigest(world.release, owner),
    settings: owner.settings,
    size: [owner.machine.cpu, owner.machine.memory],
    generated: generatedVersions(world.release, owner.name),
    facts: factsBehind(world, referencesIn(owner.settings), new Set([...above, owner.name]), from),
  }
}
