import type { ResolvedComponent } from '../model/blueprint.ts'
import type { Address, MachineRecord } from '../model/machine.ts'
import type { Plan } from '../model/plan.ts'
import type { Recipe } from '../recipes/recipe.ts'
import { expand } from './expand.ts'
import { createFacts, type Facts } from './facts.ts'
import type { NumberedRelease, PlanInput } from './plan-input.ts'

/** Stands for every secret, and for what is only made with the deploy: a look ahead brings none to a machine. */
const mark = '[secret]'

/** Of machines that are not there yet: addresses that nobody has (RFC 5737). */
const addresses: Address[] = [
  { address: '192.0.2.1', family: 4, scope: 'private', network: 'planned' },
  { address: '192.0.2.2', family: 4, scope: 'public', network: 'planned' },
]

export interface PreviewSource {
  input: PlanInput & { release: NumberedRelease }
  plan: Pick<Plan, 'units'>
  /** An imported one that the plan sets up. */
  machine: MachineRecord
  recipes: Map<string, Recipe>
  installation: string
}

/** What an imported machine's programs would be made from if all of the plan were there already. Pure. */
export function previewFacts({ input, plan, machine, recipes, installation }: PreviewSource): {
  facts: Facts
  /** As it will be: others are told of it then. */
  machine: MachineRecord
  component: ResolvedComponent | undefined
} {
  const { toolkit, overrides, deployment, values = {}, certificates, sshFrom } = input
  const { number: releaseNumber, spec: release } = input.release
  const { components } = expand(release, toolkit, overrides)
  const made = plan.units.flatMap(({ create, component, machine: name }): MachineRecord[] => {
    if (!create || input.machines.some((row) => row.name === name)) return []
    const { ordinal, cloud: cloudId, spec, stateful } = create
    return [{ ...machine, id: name, name, component, ordinal, cloudId, spec, stateful, status: 'created', addresses }]
  })
  const ends = new Set(plan.units.flatMap(({ kind, machine: name }) => (kind === 'destroy' ? [name] : [])))
  const rows = input.machines
    .filter(({ name }) => !ends.has(name))
    .map((row): MachineRecord => (row.status === 'imported' ? { ...row, status: 'created' } : row))
  const given = Object.keys(values).map((name) => [name, { value: mark, secret: true }] as const)
  const facts = createFacts({
    ...{ installation, deployment, releaseNumber, recipes },
    world: {
      ...{ release, components, overrides, machines: [...rows, ...made] },
      ...(certificates && { certificates }),
      ...(sshFrom && { sshFrom }),
    },
    secrets: new Map(Object.keys(release.secretVersions).map((name) => [name, mark])),
    values: Object.fromEntries(given),
    from: machine.cloudId,
    authority: mark,
    credentials: { [machine.id]: { certificate: mark, key: mark } },
  })
  return {
    facts,
    machine: { ...machine, status: 'created' },
    component: components.find(({ name }) => name === machine.component),
  }
}
