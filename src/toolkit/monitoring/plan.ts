import { machinesOf } from '../../lib/fields.ts'
import { nearest } from '../../lib/nearest.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { Value } from '../../model/value.ts'
import type { ToolkitPlan } from '../contract.ts'
import { promqlFault } from './promql.ts'
import { readyAlerts } from './ready-alerts.ts'
import type { AlertSpec, MonitoringSpec } from './schema.ts'
import { type Modules, machineModules, watched } from './targets.ts'
import { signedWebhooks } from './webhook-signer.ts'

interface Problem {
  path: string
  message: string
  found?: string
  allowed?: string[]
}

/** Names there twice, expressions that are no PromQL, receivers that are not there. */
export function validate({ alerts, notify, targets }: MonitoringSpec, components: ResolvedComponent[]): Problem[] {
  const taken = new Set(components.map(({ name }) => name))
  const twice = targets.flatMap(({ name }, i): Problem[] => {
    if (!taken.has(name)) return taken.add(name) && []
    return [{ path: `targets.${i}.name`, message: `the name ${name} is taken`, found: name }]
  })
  return [...twice, ...alertsProblems(alerts, notify)]
}

function alertsProblems(alerts: AlertSpec[], notify: MonitoringSpec['notify']): Problem[] {
  const seen = new Set<string>()
  return alerts.flatMap((alert, i) => {
    const path = `alerts.${i}`
    const twice = seen.has(alert.name)
    seen.add(alert.name)
    return [
      ...(twice ? [{ path: `${path}.name`, message: `${alert.name} is there twice`, found: alert.name }] : []),
      ...alertProblems(alert, path),
      ...[alert.notify ?? []].flat().flatMap((name): Problem[] => {
        const allowed = Object.keys(notify)
        if (allowed.includes(name)) return []
        return [{ path: `${path}.notify`, message: `there is no receiver ${name} under notify`, found: name, allowed }]
      }),
    ]
  })
}

function alertProblems({ name, expr, above }: AlertSpec, path: string): Problem[] {
  const ready = readyAlerts.find((one) => one.name === name)
  if (ready) {
    if (expr !== undefined)
      return [{ path: `${path}.expr`, message: `${name} is ready-made: its expression is its own; take another name` }]
    if (above !== undefined && ready.above === undefined)
      return [{ path: `${path}.above`, message: `${name} compares with no number`, found: String(above) }]
    return []
  }
  if (expr === undefined) {
    const near = nearest(
      name,
      readyAlerts.map((one) => one.name),
    )
    const hint = near ? `; did you mean the ready-made ${near}?` : ''
    return [{ path: `${path}.expr`, message: `${name} needs an expr (PromQL)${hint}` }]
  }
  if (above !== undefined)
    return [{ path: `${path}.above`, message: 'is for ready-made alerts: write the number into expr' }]
  const fault = promqlFault(expr)
  if (!fault) return []
  const place = fault.near === '' ? 'at its end' : `at character ${fault.at}, near "${fault.near}"`
  return [{ path: `${path}.expr`, message: `is no PromQL ${place}`, found: expr }]
}

/** A component of Prometheus machines with an Alertmanager each; exporters and their gate on every machine there is. */
export function plan({
  name,
  spec,
  components,
}: {
  name: string
  spec: MonitoringSpec
  components: ResolvedComponent[]
}): ToolkitPlan {
  const seed: Value = { $ref: `secrets.${name}.seed` }
  const host = spec.placement?.with
  const sharing = (component: ResolvedComponent) => component.placement.with
  const all = components.map((component) => ({
    component: component.name,
    host: sharing(component),
    ...watched(component),
  }))
  const own = ownTargets(name, host !== undefined)
  /** What is behind the gate of a component's machines: its own, and that of those who share them. */
  const behind = (owner: string, modules: Modules): Modules =>
    Object.assign(
      { ...modules },
      ...all.filter((one) => one.host === owner).map((one) => one.modules),
      host === owner ? own.modules : {},
    )
  const monitoring: ResolvedComponent = {
    name,
    recipe: 'prometheus',
    service: 'monitoring',
    replicas: spec.replicas,
    ...machinesOf(spec),
    env: {},
    settings: {
      interval: spec.interval,
      retentionTime: spec.retention.time,
      retentionSize: spec.retention.size,
      targets: [...all.flatMap(({ targets }) => targets), ...own.targets, ...external(spec)] as unknown as Value,
      alerts: plain(spec.alerts),
    },
    update: { maxUnavailable: 1, drain: 0 },
  }
  const gate = (component: string, modules: Modules) => [
    { component, name: 'node-exporter', recipe: 'node-exporter', settings: {} },
    { component, name: 'journal', recipe: 'journal', settings: { ...spec.logs } },
    {
      component,
      name: 'exporter-gate',
      recipe: 'exporter-gate',
      settings: { modules: modules as unknown as Value, seed },
    },
  ]
  return {
    components: [monitoring],
    members: [],
    extras: [
      ...all.flatMap(({ component, host: shared, modules, extra }) => [
        ...(extra ? [{ component, recipe: extra.name, ...extra }] : []),
        ...(shared === undefined ? gate(component, behind(component, modules)) : []),
      ]),
      { component: name, name: 'alertmanager', recipe: 'alertmanager', settings: alertmanagerSettings(name, spec) },
      ...signer(name, spec),
      ...(spec.replicas > 1
        ? [{ component: name, name: 'alertmanager-door', recipe: 'alertmanager-door', settings: { seed } }]
        : []),
      ...(host === undefined ? gate(name, behind(name, own.modules)) : []),
    ],
  }
}

function ownTargets(name: string, isGuest: boolean) {
  const machines: Value = { $ref: `${name}.machines` }
  const modules: Modules = {
    ...(isGuest ? {} : machineModules),
    prometheus: { port: 9090 },
    alertmanager: { port: 9093 },
  }
  return {
    modules,
    targets: Object.keys(modules).map((module) => ({ job: module, component: name, machines, module })),
  }
}

/** Machines that Kitbag did not deploy: asked as they are, without a gate. */
function external({ targets }: MonitoringSpec) {
  return targets.map(({ name, addresses, port, path }) => ({
    job: 'external',
    component: name,
    machines: addresses.map((address) => ({ name: address, address })),
    port,
    path,
  }))
}

function alertmanagerSettings(name: string, { notify, repeat }: MonitoringSpec): Record<string, Value> {
  return { notify: plain(notify), repeat, machines: { $ref: `${name}.machines` } }
}

/** Only where there is something to sign. */
function signer(name: string, { notify }: MonitoringSpec): NonNullable<ToolkitPlan['extras']> {
  const webhooks = signedWebhooks(notify)
  if (Object.keys(webhooks).length === 0) return []
  return [
    { component: name, name: 'webhook-signer', recipe: 'webhook-signer', settings: { webhooks: plain(webhooks) } },
  ]
}

/** Without members that are undefined. */
function plain(value: unknown): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}
