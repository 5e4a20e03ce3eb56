import { machineName } from '../../model/machine.ts'
import type { Listener, Target } from './listener-schema.ts'
import type { LoadBalancerSpec } from './schema.ts'

/** One place of a section that sends to a backend. */
export interface PlacedTarget {
  backend: string
  to: Target
  listener: Listener
  /** In the section: `listeners.0.routes.1`. */
  path: string
}

/** Name of a target's backend in HAProxy, the API and overrides. */
export function backendName(name: string | undefined, to: Target, port: number): string {
  return name ?? (typeof to === 'string' ? to : `external-${port}`)
}

/** Every place that sends to a backend, in order; several may share one. */
export function targetsOf({ listeners }: Pick<LoadBalancerSpec, 'listeners'>): PlacedTarget[] {
  return listeners.flatMap((listener, i) => {
    const { name, to, port, routes } = listener
    const path = `listeners.${i}`
    const own = to === undefined ? [] : [{ backend: backendName(name, to, port), to, listener, path }]
    const routed = routes.flatMap((route, n) =>
      route.to === undefined
        ? []
        : [{ backend: backendName(route.name, route.to, port), to: route.to, listener, path: `${path}.routes.${n}` }],
    )
    return [...own, ...routed]
  })
}

/** Each backend once: the first place that sends to it. */
export function backendsOf(spec: Pick<LoadBalancerSpec, 'listeners'>): Map<string, PlacedTarget> {
  const backends = new Map<string, PlacedTarget>()
  for (const target of targetsOf(spec)) if (!backends.has(target.backend)) backends.set(target.backend, target)
  return backends
}

/** Name of the server at the given place, from 0, of a list of addresses. */
export function externalName(index: number): string {
  return `external-${index + 1}`
}

/** Whether a server of that name can be in a backend that sends to this. */
export function isServerOf(to: Target, server: string): boolean {
  if (typeof to !== 'string') return to.addresses.some((_, i) => externalName(i) === server)
  const ordinal = Number(/-([1-9]\d{0,5})$/.exec(server)?.[1])
  return machineName(to, ordinal) === server
}

/** Name of the cookie of a sticky backend: browsers tell ports of one host not apart, so each has its own. */
export function cookieName(backend: string): string {
  return `kitbag-${backend}`
}

/** Name of a listener in HAProxy's configuration and statistics. */
export function frontendName(port: number): string {
  return `port-${port}`
}
