import { certificateName, ownKeyPair } from '../../lib/own-key-pair.ts'
import type { Placement, ResolvedComponent } from '../../model/blueprint.ts'
import type { Value } from '../../model/value.ts'
import type { Prepared, ToolkitPlan } from '../contract.ts'
import { type ConfiguredBackend, type ConfiguredCertificate, certificateFile } from './configuration.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf, type PlacedTarget } from './targets.ts'

/** The recipe, and the name of the extra, that lets load balancers come to a component by TLS. */
export const doorName = 'tls-door'

/** Where it listens. */
export const doorPort = 9997

/**
 * The component that a target's machines are of, where those are at another cloud than the load balancer's and can have a door. With a PROXY
 * header, which goes before the TLS, they cannot.
 */
export function behindDoor(
  { to, listener }: PlacedTarget,
  { placement }: Pick<LoadBalancerSpec, 'placement'>,
  components: ResolvedComponent[],
): ResolvedComponent | undefined {
  const target = components.find(({ name }) => name === to)
  const cloudOf = ({ cloud, with: host }: Placement = {}) =>
    host === undefined ? cloud : components.find(({ name }) => name === host)?.placement.cloud
  const isHere = cloudOf(target?.placement) === cloudOf(placement as Placement | undefined)
  return isHere || listener.proxyProtocol.send ? undefined : target
}

/** Components that the load balancer sends to through a door. */
export function doorsOf(spec: LoadBalancerSpec, components: ResolvedComponent[]): ResolvedComponent[] {
  const all = [...backendsOf(spec).values()].flatMap((target) => behindDoor(target, spec, components) ?? [])
  return [...new Set(all)]
}

/** What the doors of a component are made of: a secret of its machines, which every load balancer in front of it knows. */
export function doorSeed({ name }: ResolvedComponent): Value {
  return { $ref: `secrets.${name}.${doorName}.seed` }
}

/** What is put onto the machines behind doors. */
export function doorExtras(doors: ResolvedComponent[]): NonNullable<ToolkitPlan['extras']> {
  return doors.map(({ name, port }) => ({
    component: name,
    name: doorName,
    recipe: doorName,
    settings: port === undefined ? {} : { target: port },
  }))
}

function pairOf(seed: unknown) {
  return ownKeyPair(String(seed), 'load balancer doors')
}

/** What a door proves itself by, and lets in. */
export function prepareDoor(parameters: Record<string, unknown>): Prepared {
  const pair = pairOf(parameters.seed)
  return { parameters: { ...parameters, ...pair }, secrets: [pair.key] }
}

/** The same at the load balancer, among its files of certificates under names that none of those can have. */
export function doorCertificates(backends: ConfiguredBackend[]): ConfiguredCertificate[] {
  const byName = new Map(backends.flatMap(({ door }) => (door ? [[fileName(door), door.seed] as const] : [])))
  return [...byName].map(([name, seed]) => {
    const { certificate, key } = pairOf(seed)
    return { name, pem: certificate + key }
  })
}

const fileName = ({ component }: NonNullable<ConfiguredBackend['door']>) => `@door-${component}`

/** What a server has for it in a file. */
export function doorOptions({ door }: ConfiguredBackend): string {
  if (!door) return ''
  const file = certificateFile(fileName(door))
  return ` ssl verify required ca-file ${file} crt ${file} verifyhost ${certificateName} ssl-min-ver TLSv1.3`
}
