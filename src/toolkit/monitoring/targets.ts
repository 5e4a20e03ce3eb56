import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { MachineFact } from '../../model/recipe.ts'
import { isReference, referenceOwner, type Value } from '../../model/value.ts'

/** What of machines is scraped; in the recipe's `targets`, with those of its component put in. */
export interface Target {
  /** Prometheus' word for what is asked: `node`, `application`, `load-balancer`. */
  job: string
  component: string
  machines: MachineFact[]
  /** Behind the machine's gate: the name of its module there. */
  module?: string
  /** What the module is asked for beside that. */
  params?: Record<string, string[]>
  /** Not behind it, because Kitbag did not deploy them: port and path. */
  port?: number
  path?: string
  /** Load balancers: backend -> the component whose machines it sends to. */
  backends?: Record<string, string>
}

/**
 * What is behind the gate: module -> where it listens on loopback (`isOpen`: at the machine's address, where the application's users come),
 * or the command that prints figures.
 */
export type Modules = Record<string, { port: number; path?: string; isOpen?: true } | { command: string }>

export interface Watched {
  targets: (Omit<Target, 'machines'> & { machines: Value })[]
  modules: Modules
  /** The extra that makes the figures, beside node-exporter and the gate. */
  extra?: { name: string; settings: Record<string, Value> }
}

/** Of every machine, whatever it is for. */
export const machineModules: Modules = {
  node: { port: 9100 },
  container: { command: '/usr/local/lib/kitbag/container-metrics' },
}

/**
 * What there is to see of a component, and what it takes to see it. Of one that shares machines these are not: their figures are those of
 * the component that they belong to.
 */
export function watched(component: ResolvedComponent): Watched {
  const { name, placement } = component
  const machines: Value = { $ref: `${name}.machines` }
  const own = ownFigures(component)
  const ofMachine = placement.with === undefined ? machineModules : {}
  return {
    modules: { ...ofMachine, ...own.modules, ...applicationModule(component) },
    ...(own.extra && { extra: own.extra }),
    targets: [
      ...Object.keys(ofMachine).map((module) => ({ job: module, component: name, machines, module })),
      ...Object.keys(own.modules).map((module) => ({
        job: module,
        component: name,
        machines,
        module,
        ...(own.backends && { backends: own.backends }),
        ...(own.params?.[module] && { params: own.params[module] }),
      })),
      ...Object.keys(applicationModule(component)).map((module) => ({
        job: 'application',
        component: name,
        machines,
        module,
      })),
    ],
  }
}

/** What an application tells of itself; several that share a machine have a module each. */
function applicationModule({ name, service, metrics, placement }: ResolvedComponent): Modules {
  if (!metrics || service !== undefined) return {}
  const module = placement.with === undefined ? 'application' : `application-${name}`
  return { [module]: { port: metrics.port, path: metrics.path, isOpen: true } }
}

interface OwnFigures {
  modules: Modules
  extra?: Watched['extra']
  backends?: Record<string, string>
  /** By module. */
  params?: Record<string, Record<string, string[]>>
}

/** The only figures of RabbitMQ that are told queue by queue: those of each connection and channel would be new series without end. */
const ofEachQueue = { family: ['queue_coarse_metrics', 'queue_consumer_count'] }

function ownFigures({ service, recipe, settings, port }: ResolvedComponent): OwnFigures {
  if (service === 'loadBalancer')
    return {
      modules: { 'load-balancer': { port: 8405 }, 'access-log': { port: 3903 } },
      extra: { name: 'haproxy-metrics', settings: {} },
      backends: backendsIn(settings),
    }
  if (service === 'dns') return { modules: { dns: { port: 8081 } }, extra: { name: 'powerdns-metrics', settings: {} } }
  if (recipe === 'postgresql')
    return {
      modules: { postgresql: { port: 9187 } },
      extra: { name: 'postgresql-metrics', settings: port === undefined ? {} : { port } },
    }
  if (recipe === 'rabbitmq')
    return {
      modules: { rabbitmq: { port: 15692 }, 'rabbitmq-queues': { port: 15692, path: '/metrics/detailed' } },
      params: { 'rabbitmq-queues': ofEachQueue },
    }
  return { modules: {} }
}

/** Which component's machines each backend has: settings hold both side by side, wherever that is. */
function backendsIn(value: Value | undefined): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  if (Array.isArray(value)) return Object.assign({}, ...value.map(backendsIn))
  const { backend, name, servers } = value as Record<string, Value>
  const label = backend ?? name
  if (typeof label === 'string' && servers !== undefined)
    return { [label]: isReference(servers) ? referenceOwner(servers.$ref) : label }
  return Object.assign({}, ...Object.values(value).map(backendsIn))
}
