import {
  addUp,
  type CostSum,
  type DeploymentCosts,
  type MachineCost,
  notesOn,
  type PlanCosts,
  sumOf,
} from '../model/cost.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import { machinesEnding, type Plan } from '../model/plan.ts'

/** What a machine of a cloud costs, by the prices that the cloud's provider has. Asks nobody. */
export type CostOf = (cloudId: string, spec: ResolvedMachineSpec) => MachineCost

interface Costing {
  component: string
  cost: MachineCost
}

/** Ids of all clouds whose prices a plan's costs take. */
export function cloudsOf(plan: Plan, machines: MachineRecord[]): string[] {
  return [...new Set([...machines.map(({ cloudId }) => cloudId), ...created(plan).map(({ cloud }) => cloud)])]
}

/** What the deployment costs in a month before and after a plan. `machines`: those there are. Pure. */
export function planCosts(plan: Plan, machines: MachineRecord[], costOf: CostOf): PlanCosts {
  const now = costingsOf(machines, costOf)
  const ends = machinesEnding(plan.units)
  const made = created(plan)
  const begun = new Set(made.map(({ machine }) => machine))
  const after = [
    ...costingsOf(
      machines.filter(({ name }) => !ends.has(name) && !begun.has(name)),
      costOf,
    ),
    ...made.map(({ component, cloud, spec }) => ({ component, cost: costOf(cloud, spec) })),
  ]
  const all = [...now, ...after].map(({ cost }) => cost)
  const components = componentsOf([...now, ...after]).map((component) => ({
    component,
    ...compared(ofComponent(now, component), ofComponent(after, component)),
  }))
  return { ...notesOn(all), components, total: compared(sumAll(now), sumAll(after)) }
}

/** What the machines that there are cost in a month. Pure. */
export function deploymentCosts(machines: MachineRecord[], costOf: CostOf): DeploymentCosts {
  const all = costingsOf(machines, costOf)
  const components = componentsOf(all).map((component) => ({ component, ...ofComponent(all, component) }))
  return { ...notesOn(all.map(({ cost }) => cost)), components, total: sumAll(all) }
}

function created({ units }: Plan) {
  // What shares a machine costs nothing of its own.
  return units.flatMap(({ component, machine, create }) =>
    create && create.on === undefined ? [{ component, machine, ...create }] : [],
  )
}

function costingsOf(machines: MachineRecord[], costOf: CostOf): Costing[] {
  const own = machines.filter(({ hostId }) => hostId === undefined)
  return own.map(({ component, cloudId, spec }) => ({ component, cost: costOf(cloudId, spec) }))
}

function componentsOf(all: Costing[]): string[] {
  return [...new Set(all.map(({ component }) => component))].sort()
}

function ofComponent(all: Costing[], wanted: string): CostSum {
  return sumAll(all.filter(({ component }) => component === wanted))
}

function sumAll(all: Costing[]): CostSum {
  return sumOf(all.map(({ cost }) => cost))
}

function compared(now: CostSum, after: CostSum): { now: CostSum; after: CostSum; difference: number | null } {
  const mixed = now.currency !== null && after.currency !== null && now.currency !== after.currency
  const before = now.total === null ? null : -now.total
  return { now, after, difference: mixed ? null : addUp([after.total, before]) }
}
