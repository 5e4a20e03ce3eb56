import type { ResolvedComponent } from '../model/blueprint.ts'
import { type Admission, type AdmissionSource, everywhere, type Opening } from '../model/firewall.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { consumersOf, guestsOf, refersTo, usersOf } from './links.ts'

type Declared = Pick<ReleaseSpec, 'recipes'>

/**
 * What may come to a component's machines beside SSH: what its recipe and what else runs on them open, for those who refer to it; and the
 * same of the components that share them. Sorted, each port once. Pure.
 */
export function admissionsOf(
  { recipes }: Declared,
  components: ResolvedComponent[],
  component: ResolvedComponent,
): Admission[] {
  const found: Admission[] = []
  const admit = (protocol: Opening['protocol'], port: number | undefined, sources: AdmissionSource[]) => {
    if (protocol === 'vrrp' || port !== undefined)
      found.push({ protocol, ...(port !== undefined && { port }), sources })
  }
  for (const one of [component, ...guestsOf(components, component.name)]) {
    const own = one.port ?? recipes[one.recipe]?.defaultPort
    for (const { protocol, port, from } of openingsOf(recipes, one))
      admit(protocol, protocol === 'vrrp' ? undefined : (port ?? own), sourcesOf(components, one, from))
    admit('tcp', own, one.public === true ? everywhere : (one.public ?? []).map((network) => ({ network })))
  }
  return together(found)
}

/** A port that something listens on. */
interface Door {
  protocol: 'tcp' | 'udp'
  port: number
}

/**
 * Ports that are listened on on a component's machines, beside SSH, whoever may come to them: its own, those of what else runs there, and of
 * the components that share them. Sorted, each once. Pure.
 */
export function portsOf({ recipes }: Declared, components: ResolvedComponent[], component: ResolvedComponent): Door[] {
  const all = [component, ...guestsOf(components, component.name)].flatMap((one) => ownPortsOf({ recipes }, one))
  const byName = new Map(all.map((door) => [doorOf({ ...door, sources: [] }), door]))
  return [...byName].sort(([a], [b]) => compare(a, b)).map(([, door]) => door)
}

/** Those of a component and of what else runs on its machines, whoever shares these. */
export function ownPortsOf({ recipes }: Declared, component: ResolvedComponent): Door[] {
  const own = component.port ?? recipes[component.recipe]?.defaultPort
  const all = [{ protocol: 'tcp' as const, port: own }, ...openingsOf(recipes, component)]
  return all.flatMap(({ protocol, port = own }) =>
    protocol === 'vrrp' || port === undefined ? [] : [{ protocol, port }],
  )
}

/** Each port once, with everybody who may come to it. */
export function together(admissions: Admission[]): Admission[] {
  const byDoor = new Map<string, Admission>()
  for (const admission of admissions) {
    const sources = merged([...(byDoor.get(doorOf(admission))?.sources ?? []), ...admission.sources])
    if (sources.length > 0) byDoor.set(doorOf(admission), { ...admission, sources })
  }
  return [...byDoor.values()].sort((a, b) => compare(doorOf(a), doorOf(b)))
}

/** What of the first list the second one does not let in. */
export function admissionsBeyond(admissions: Admission[], others: Admission[]): Admission[] {
  const known = new Map(others.map((other) => [doorOf(other), other.sources]))
  return admissions.flatMap((admission) => {
    const other = known.get(doorOf(admission)) ?? []
    if (isOpen(other)) return []
    const names = other.map(nameOf)
    const sources = admission.sources.filter((source) => !names.includes(nameOf(source)))
    return sources.length > 0 ? [{ ...admission, sources }] : []
  })
}

/** What listens on a component's machines: its own recipe or service, its figures, and what services put there. */
function openingsOf(recipes: ReleaseSpec['recipes'], component: ResolvedComponent): Opening[] {
  const { opens, recipe, extras = [] } = component
  return [
    ...(opens ?? recipes[recipe]?.opens ?? [{ protocol: 'tcp' as const, from: 'users' as const }]),
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
  const all = isOpen(sources) ? everywhere : [...byName.values()]
  return [...all].sort((a, b) => compare(nameOf(a), nameOf(b)))
}

/** Whether these let in everybody. */
export function isOpen(sources: AdmissionSource[]): boolean {
  return everywhere.every((all) => sources.some((source) => nameOf(source) === nameOf(all)))
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
  return comersOf(admissionsOf(declared, components, component))
}

/** Components that admissions name. */
export function comersOf(admissions: Admission[]): string[] {
  const all = admissions.flatMap(({ sources }) => sources)
  return [...new Set(all.flatMap((source) => ('component' in source ? [source.component] : [])))].sort()
}
