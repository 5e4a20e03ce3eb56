import { isDeepStrictEqual } from 'node:util'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { NeighbourService } from '../contract.ts'
import type { Listener, Target } from './listener-schema.ts'
import { peersPort } from './peers-text.ts'
import { backendSettings, countTogether } from './plan.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf, targetsOf } from './targets.ts'
import { certificateName } from './text-fields.ts'

const sshPort = 22

interface Problem {
  path: string
  message: string
  found?: string
  allowed?: string[]
}

/** What the other parts of the blueprint and fields beside each other make wrong. */
export function validate(
  spec: LoadBalancerSpec,
  components: ResolvedComponent[],
  services: NeighbourService[],
): Problem[] {
  const problems: Problem[] = []
  if (spec.floatingAddress && spec.replicas < 2)
    problems.push({
      path: 'floatingAddress',
      message: 'an address that moves needs `replicas: 2` or more to move between',
    })
  if (spec.floatingAddress && spec.placement?.with !== undefined)
    problems.push({
      path: 'floatingAddress',
      message: 'an address that moves needs machines of its own: leave `placement.with` out',
    })
  const ports = new Set<number>()
  for (const [i, listener] of spec.listeners.entries()) {
    const { port } = listener
    const path = `listeners.${i}`
    if (ports.has(port))
      problems.push({ path: `${path}.port`, message: `port ${port} is used twice`, found: String(port) })
    ports.add(port)
    if (port === sshPort)
      problems.push({ path: `${path}.port`, message: 'port 22 is that of SSH on every machine', found: '22' })
    if (port === peersPort && countTogether(spec))
      problems.push({
        path: `${path}.port`,
        message: `on port ${port} the machines tell each other what they count for \`rateLimit\``,
        found: String(port),
      })
    const own = [...protocolProblems(listener), ...destinationProblems(listener), ...routeProblems(listener)]
    problems.push(...own.map((problem) => ({ ...problem, path: problem.path ? `${path}.${problem.path}` : path })))
    problems.push(...certificateProblems(listener, `${path}.certificates`, services))
  }
  problems.push(...backendProblems(spec, components))
  const backends = [...backendsOf(spec).values()].filter(({ listener }) => listener.protocol !== 'tcp')
  const allowed = backends.map(({ backend }) => backend)
  for (const [i, backend] of spec.maintenance.backends.entries())
    if (!allowed.includes(backend))
      problems.push({
        path: `maintenance.backends.${i}`,
        message: `there is no backend ${backend} that answers http`,
        found: backend,
        allowed,
      })
  return problems
}

/** Fields that one protocol alone has a meaning for. */
function protocolProblems({ protocol, ...listener }: Listener): Problem[] {
  const needed = (field: string, words: string): Problem => ({
    path: field,
    message: `${field} takes protocol ${words}, not ${protocol}`,
  })
  const problems: Problem[] = []
  if (listener.sticky && protocol === 'tcp')
    problems.push({
      path: 'sticky',
      message: `a cookie takes protocol http, not ${protocol}; for tcp there is algorithm: source`,
      found: 'true',
      allowed: ['false'],
    })
  if (protocol !== 'https' && listener.certificates) problems.push(needed('certificates', 'https'))
  if (protocol !== 'https' && listener.hsts) problems.push(needed('hsts', 'https'))
  if (protocol === 'https' && !listener.certificates)
    problems.push({ path: '', message: 'protocol https needs `certificates`: names of at least one' })
  if (protocol !== 'tcp') return problems
  if (listener.redirect) problems.push(needed('redirect', 'http or https'))
  if (listener.basicAuth) problems.push(needed('basicAuth', 'http or https'))
  if (listener.compression) problems.push(needed('compression', 'http or https'))
  if (Object.values(listener.limits).some((limit) => limit !== undefined))
    problems.push(needed('limits', 'http or https'))
  for (const [i, { path, header, redirect }] of listener.routes.entries())
    for (const [field, value] of Object.entries({ path, header, redirect }))
      if (value !== undefined) problems.push({ ...needed(field, 'http or https'), path: `routes.${i}.${field}` })
  return problems
}

/** A listener, and each route, has one place to send to. */
function destinationProblems({ to, redirect, routes, basicAuth }: Listener): Problem[] {
  const problems: Problem[] = []
  const both = 'goes either `to` a component or to a `redirect`, not both'
  if (to !== undefined && redirect) problems.push({ path: 'redirect', message: `a listener ${both}` })
  for (const [i, route] of routes.entries()) {
    if (route.to !== undefined && route.redirect)
      problems.push({ path: `routes.${i}.redirect`, message: `a route ${both}` })
  }
  const names = new Set<string>()
  for (const [i, { name }] of (basicAuth?.users ?? []).entries()) {
    if (names.has(name))
      problems.push({ path: `basicAuth.users.${i}.name`, message: `${name} is there twice`, found: name })
    names.add(name)
  }
  return problems
}

/** Routes that take nothing, or the same as another. */
function routeProblems({ protocol, routes }: Listener): Problem[] {
  const problems: Problem[] = []
  const seen = new Map<string, number>()
  for (const [i, { host, path, exact, header }] of routes.entries()) {
    const at = `routes.${i}`
    if (exact && path === undefined) problems.push({ path: `${at}.exact`, message: 'exact says how `path` is meant' })
    if (host === undefined && path === undefined && header === undefined)
      problems.push({
        path: at,
        message: protocol === 'tcp' ? 'a route needs a `host`' : 'a route needs a `host`, a `path` or a `header`',
      })
    const key = JSON.stringify([
      host,
      exact ? path : path?.replace(/\/+$/, ''),
      exact,
      Object.entries(header ?? {}).sort(),
    ])
    const other = seen.get(key)
    if (other !== undefined) problems.push({ path: at, message: `takes the same requests as routes.${other}` })
    else seen.set(key, i)
  }
  return problems
}

/** Certificates are those that services of the blueprint make. */
function certificateProblems({ certificates = [] }: Listener, path: string, services: NeighbourService[]): Problem[] {
  const makers = services.filter(({ values }) => values)
  if (makers.length === 0 && certificates.length > 0)
    return [{ path, message: 'the blueprint has no toolkit service `certificates`, which these are names of' }]
  const allowed = makers.flatMap(({ name, values = [] }) =>
    values.flatMap((value) => (/^[^.]+\.pem$/.test(value) ? certificateName(name, value.slice(0, -4)) : [])),
  )
  return certificates.flatMap((name, i) =>
    allowed.includes(name)
      ? []
      : [{ path: `${path}.${i}`, message: `there is no certificate ${name}`, found: name, allowed }],
  )
}

function backendProblems(spec: LoadBalancerSpec, components: ResolvedComponent[]): Problem[] {
  const first = backendsOf(spec)
  return targetsOf(spec).flatMap((target): Problem[] => {
    const { backend, to, path } = target
    const before = first.get(backend) ?? target
    const same =
      isDeepStrictEqual(before.to, to) &&
      isDeepStrictEqual(backendSettings(before, components), backendSettings(target, components))
    const clash = same
      ? []
      : [
          {
            path,
            message: `the backend ${backend} is not what it is in ${before.path} (target, algorithm, sticky, health, timeouts, proxyProtocol): give one a \`name\``,
          },
        ]
    return [...clash, ...targetProblems(to, `${path}.to`, components)]
  })
}

function targetProblems(to: Target, path: string, components: ResolvedComponent[]): Problem[] {
  if (typeof to !== 'string') return []
  const target = components.find(({ name }) => name === to)
  const allowed = components.map(({ name }) => name)
  if (!target) return [{ path, message: `there is no component ${to}`, found: to, allowed }]
  if (target.port === undefined) return [{ path, message: `${to} has no port`, found: to }]
  return []
}
