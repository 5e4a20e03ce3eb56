import { digestOf } from '../lib/digest.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
import { type MachineRecord, preferredAddress } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { referenceOwner, referencesIn, type Value } from '../model/value.ts'
import { consumersOf, linksOf } from './links.ts'

/** What the configure phase of a machine is rendered from, beside the component itself. */
export interface World {
  release: ReleaseSpec
  components: ResolvedComponent[]
  machines: MachineRecord[]
  /** scope -> key -> value. */
  overrides: Record<string, Record<string, JsonObject>>
}

function sourceDigest(release: ReleaseSpec, component: ResolvedComponent): string | null {
  return component.source === undefined ? null : (release.sources[component.source] ?? null)
}

function recipeDigest(release: ReleaseSpec, component: ResolvedComponent): string | null {
  return release.recipes[component.recipe]?.digest ?? null
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
  const links = linksOf(components, component)
  const data = machines
    .filter(({ stateful, component: owner }) => stateful && links.includes(owner))
    .map(({ id }) => id)
  return digestOf({ source: sourceDigest(release, component), migrate: component.migrate ?? null, data: data.sort() })
}

/** Addresses of a component's machines, as they are now. */
function addressesOf(machines: MachineRecord[], component: string): string[][] {
  return machines
    .filter((machine) => machine.component === component && machine.status !== 'destroying')
    .map((machine) => [machine.name, preferredAddress(machine.addresses)?.address ?? ''])
    .sort(([a = ''], [b = '']) => a.localeCompare(b))
}

/**
 * Inputs of the configure phase of one machine: everything that its files are rendered from, facts included. The activity computes it
 * before and after its program, the planner before a change: equal digests mean that there is nothing to do.
 */
export function configureDigest(world: World, component: ResolvedComponent, machine: MachineRecord): string {
  const { release, machines } = world
  const references = [...new Set(referencesIn(component.settings).concat(referencesIn(component.env)))].sort()
  const secrets = Object.entries(release.secretVersions).filter(
    ([name]) =>
      references.includes(`secrets.${name}`) || references.includes(name) || name.startsWith(`${component.name}.`),
  )
  const owners = [...new Set(references.map(referenceOwner))].filter((owner) =>
    world.components.some(({ name }) => name === owner),
  )
  const linked = owners.map((owner) => {
    const other = world.components.find(({ name }) => name === owner)
    return [
      owner,
      addressesOf(machines, owner),
      other?.port ?? null,
      other ? literals(other.settings) : null,
      generatedVersions(release, owner),
    ]
  })
  const overridden = references
    .filter((r) => referenceOwner(r) === 'overrides')
    .map((r) => r.slice('overrides.'.length))
  return digestOf({
    install: installDigest(release, component),
    settings: component.settings,
    env: component.env,
    start: component.start ?? null,
    port: component.port ?? null,
    secrets,
    linked,
    overrides: overridden.map((scope) => [scope, world.overrides[scope] ?? {}]),
    consumers: consumersOf(world.components, component.name).map((name) => [name, addressesOf(machines, name)]),
    self: [machine.name, preferredAddress(machine.addresses)?.address ?? '', machine.user],
    size: [component.machine.cpu, component.machine.memory],
  })
}

function generatedVersions(release: ReleaseSpec, component: string): [string, number][] {
  return Object.entries(release.secretVersions).filter(([name]) => name.startsWith(`${component}.`))
}
