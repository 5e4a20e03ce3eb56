import { KitbagError } from '../model/errors.ts'
import type { ResolvedMachineSpec } from '../model/machine.ts'
import { type ChangeContext, nodesReady, servicesOf } from './change-context.ts'
import { cloudIdOf } from './cloud-of.ts'
import type { Fate } from './fate.ts'
import { unitId } from './units.ts'

/** New machines, and those whose creation was not finished: create, install, configure, ready, join. */
export function addCreates(context: ChangeContext, fate: Fate, specs: Map<string, ResolvedMachineSpec>): void {
  const { input, units } = context
  const { component } = fate
  const stateful = input.release?.spec.recipes[component.recipe]?.stateful ?? false
  for (const { name, ordinal, row, on, reasons } of fate.create) {
    const host = input.machines.find((machine) => machine.name === on)
    const spec = row?.spec ?? host?.spec ?? specs.get(on ?? name)
    if (!spec) throw new KitbagError('internal', `no specification was resolved for ${name}`)
    const target = { component: component.name, machine: name }
    const reason = reasons[0]?.message ?? 'new'
    const cloud = row?.cloudId ?? cloudIdOf(input, component)
    const made = { ordinal, cloud, spec, stateful, ...(on !== undefined && { on }) }
    const create = units.add('create', target, reason, { create: made })
    if (on !== undefined) units.need(create, [unitId('create', on)])
    // Installing needs nothing but its own machine, so that it runs while others still boot.
    const install = units.add('install', target, reason)
    const configure = units.add('configure', target, reason)
    const ready = units.add('ready', target, reason)
    units.need(install, [create])
    units.need(configure, [install])
    units.need(ready, [configure])
    addJoins(context, fate, name, reason)
  }
}

/**
 * Puts a machine that is healthy into the traffic of every service, once the service's own machines are. One after the other: with the
 * last it counts as ready, so that one that was cut off before is gone on with.
 */
export function addJoins(context: ChangeContext, { component }: Fate, machine: string, reason: string): void {
  const { units } = context
  let before = unitId('ready', machine)
  for (const service of servicesOf(context, component.name)) {
    const join = units.add('join', { component: component.name, machine }, reason, { service })
    units.need(join, [before, ...nodesReady(context, service)])
    before = join
  }
}
