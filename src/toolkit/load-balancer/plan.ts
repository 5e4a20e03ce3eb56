import { machinesOf } from '../../lib/fields.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { Value } from '../../model/value.ts'
import type { ToolkitPlan } from '../contract.ts'
import { behindDoor, doorExtras, doorSeed, doorsOf } from './doors.ts'
import { peersPort } from './peers-text.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf, cookieName, externalName, type PlacedTarget } from './targets.ts'
import { certificateReference } from './text-fields.ts'

/** Milliseconds between checks of a server that is out or about to be: a fifth of the interval, 100 at least. */
function downInterval(interval: number): number {
  return Math.min(interval, Math.max(100, Math.round(interval / 5)))
}

/** What clients in maintenance get when the blueprint has no page of its own. */
const plainPage =
  '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Maintenance</title>\n<h1>Back soon</h1>\n<p>This service is being worked on.</p></html>\n'

/** A backend without what a service that shares it may differ in: its place. */
export function backendSettings({ backend, to, listener }: PlacedTarget, components: ResolvedComponent[]) {
  const { protocol, algorithm, sticky, timeouts, health, proxyProtocol } = listener
  const target = components.find((component) => component.name === to)
  const { interval, timeout, rise, fall } = health
  return {
    backend,
    mode: protocol === 'tcp' ? 'tcp' : 'http',
    algorithm,
    cookie: sticky ? cookieName(backend) : null,
    proxyProtocol: proxyProtocol.send ?? null,
    health: {
      http: health.http ?? target?.health?.http ?? null,
      interval,
      downInterval: downInterval(interval),
      timeout,
      rise,
      fall,
    },
    // That of clients is the listener's.
    timeouts: { ...timeouts, client: 0 },
  }
}

/** Whether several machines have to tell each other what they count. */
export function countTogether({ replicas, listeners }: LoadBalancerSpec): boolean {
  return replicas > 1 && listeners.some(({ rateLimit }) => rateLimit)
}

function serversOf({ to }: PlacedTarget): Value {
  if (typeof to === 'string') return { $ref: `${to}.machines` }
  return to.addresses.map((address, i) => ({ name: externalName(i), address, port: to.port }))
}

/** One component of HAProxy machines; the backends' machines are a reference, so that they follow the deployment. */
export function plan({
  name,
  spec,
  components,
}: {
  name: string
  spec: LoadBalancerSpec
  components: ResolvedComponent[]
}): ToolkitPlan {
  const { listeners, maintenance } = spec
  const targets = [...backendsOf(spec).values()]
  const used = [...new Set(listeners.flatMap(({ certificates = [] }) => certificates))].sort()
  const { machine, placement } = machinesOf(spec)
  const doors = doorsOf(spec, components)
  // What only sends clients on is nobody's URL.
  const first = listeners.find(({ redirect }) => !redirect) ?? listeners[0]
  const component: ResolvedComponent = {
    name,
    recipe: 'haproxy',
    service: 'loadBalancer',
    replicas: spec.replicas,
    machine: { ...machine, ...(spec.floatingAddress && { floatingAddress: name }) },
    placement,
    entrance: true,
    env: {},
    settings: {
      listeners: listeners.map(({ basicAuth, ...listener }) => ({
        ...listener,
        ...(basicAuth && { basicAuth: { realm: basicAuth.realm } }),
      })) as unknown as Value,
      backends: targets.map((target) => {
        const behind = behindDoor(target, spec, components)
        const door = behind && { door: { component: behind.name, seed: doorSeed(behind) } }
        return { ...backendSettings(target, components), servers: serversOf(target), ...door }
      }),
      certificates: used.map((one) => ({ name: one, pem: { $ref: certificateReference(one) } })),
      users: listeners.flatMap(({ port, basicAuth }) => (basicAuth?.users ?? []).map((user) => ({ port, ...user }))),
      maintenance: { ...maintenance, page: maintenance.page ?? plainPage },
      overrides: { $ref: `overrides.${name}` },
      ...(countTogether(spec) && { nodes: { $ref: `${name}.machines` } }),
      shared: spec.floatingAddress,
      ...(spec.floatingAddress && { addresses: { $ref: `${name}.addresses` } }),
    },
    update: { maxUnavailable: 1, drain: 0 },
    opens: [
      ...listeners.map(({ port }) => ({ protocol: 'tcp' as const, port, from: 'anyone' as const })),
      ...(countTogether(spec) ? [{ protocol: 'tcp' as const, port: peersPort, from: 'peers' as const }] : []),
      ...(spec.floatingAddress ? [{ protocol: 'vrrp' as const, from: 'peers' as const }] : []),
    ],
    ...(doors.length > 0 && { encrypts: doors.map((door) => door.name) }),
    ...(first && { port: first.port, ...(first.protocol !== 'http' && { scheme: first.protocol }) }),
    health: { interval: 200, timeout: 2000, grace: 60_000 },
  }
  const members = [...new Set(targets.flatMap(({ to }) => (typeof to === 'string' ? [to] : [])))]
  return { components: [component], members, extras: doorExtras(doors) }
}
