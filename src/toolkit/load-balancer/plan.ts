import { machinesOf } from '../../lib/fields.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { Value } from '../../model/value.ts'
import type { ToolkitPlan } from '../contract.ts'
import { type ConfiguredListener, structureDigest } from './configuration.ts'
import { backendName, cookieName, externalName, type Listener, type LoadBalancerSpec } from './schema.ts'

const sshPort = 22

/** Milliseconds between checks of a server that is out, so that it is back soon: a fifth of the interval, 100 at least. */
function downInterval(interval: number): number {
  return Math.min(interval, Math.max(100, Math.round(interval / 5)))
}

interface Problem {
  path: string
  message: string
  found?: string
  allowed?: string[]
}

/** Ports used twice, backends of one name, targets that are not there. */
export function validate({ listeners }: LoadBalancerSpec, components: ResolvedComponent[]): Problem[] {
  const problems: Problem[] = []
  const ports = new Set<number>()
  const backends = new Set<string>()
  for (const [i, listener] of listeners.entries()) {
    const path = `listeners.${i}`
    if (ports.has(listener.port))
      problems.push({
        path: `${path}.port`,
        message: `port ${listener.port} is used twice`,
        found: String(listener.port),
      })
    ports.add(listener.port)
    if (listener.port === sshPort)
      problems.push({ path: `${path}.port`, message: 'port 22 is that of SSH on every machine', found: '22' })
    if (listener.sticky && listener.protocol !== 'http')
      problems.push({
        path: `${path}.sticky`,
        message: `a cookie takes protocol http, not ${listener.protocol}; for tcp there is algorithm: source`,
        found: 'true',
        allowed: ['false'],
      })
    const backend = backendName(listener)
    if (backends.has(backend))
      problems.push({ path, message: `two listeners have the backend ${backend}: give one a \`name\`` })
    backends.add(backend)
    problems.push(...targetProblems(listener, path, components))
  }
  return problems
}

function targetProblems({ to }: Listener, path: string, components: ResolvedComponent[]): Problem[] {
  if (typeof to !== 'string') return []
  const target = components.find(({ name }) => name === to)
  const allowed = components.map(({ name }) => name)
  if (!target) return [{ path: `${path}.to`, message: `there is no component ${to}`, found: to, allowed }]
  if (target.port === undefined) return [{ path: `${path}.to`, message: `${to} has no port`, found: to }]
  return []
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
  const listeners = spec.listeners.map((listener): Value => {
    const { port, protocol, algorithm, to, timeouts, health } = listener
    const target = components.find((component) => component.name === to)
    const http = health.http ?? target?.health?.http ?? null
    const servers: Value =
      typeof to === 'string'
        ? { $ref: `${to}.machines` }
        : to.addresses.map((address, i) => ({ name: externalName(i), address, port: to.port }))
    const { interval, timeout, rise, fall } = health
    return {
      backend: backendName(listener),
      port,
      protocol,
      algorithm,
      cookie: listener.sticky ? cookieName(listener) : null,
      servers,
      health: { http, interval, downInterval: downInterval(interval), timeout, rise, fall },
      timeouts,
    }
  })
  const component: ResolvedComponent = {
    name,
    recipe: 'haproxy',
    service: 'loadBalancer',
    replicas: spec.replicas,
    ...machinesOf(spec),
    env: {},
    settings: {
      listeners,
      structure: structureDigest(listeners as unknown as ConfiguredListener[]),
      overrides: { $ref: `overrides.${name}` },
    },
    update: { maxUnavailable: 1, drain: 0 },
    ...(spec.listeners[0] && { port: spec.listeners[0].port }),
    health: { interval: 200, timeout: 2000, grace: 60_000 },
  }
  const members = [...new Set(spec.listeners.flatMap(({ to }) => (typeof to === 'string' ? [to] : [])))]
  return { components: [component], members }
}
