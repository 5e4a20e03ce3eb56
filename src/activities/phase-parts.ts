import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Phase, RecipeContext } from '../model/recipe.ts'
import type { Facts } from '../planner/facts.ts'
import type { ExtraPart } from '../recipes/extras.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { PrepareInput, ToolkitRegistry } from '../toolkit/contract.ts'

/** What a phase's program is compiled from. */
export interface PhaseParts {
  recipe: Recipe
  context: RecipeContext
  /** What toolkit services put onto the machine, run in the same program. */
  extras: ExtraPart[]
  /** Values that nothing may show. */
  secrets: string[]
}

/** Before services' own work on it (`prepared`). Throws `internal` naming the fact, or the recipe, that is missing. */
export function partsOf(
  facts: Facts,
  recipes: Map<string, Recipe>,
  { component, machine, phase }: { component: ResolvedComponent; machine: MachineRecord; phase: Phase },
): PhaseParts {
  const recipeOf = (name: string): Recipe => {
    const found = recipes.get(name)
    if (found) return found
    throw new KitbagError('internal', `${machine.name}: its release has no recipe ${name}`)
  }
  const when = { later: phase !== 'install' }
  const extras = phase === 'migrate' ? [] : facts.extras(machine, when)
  return {
    recipe: recipeOf(component.recipe),
    ...facts.context(machine, when),
    extras: extras.map(({ extra, context }) => ({ name: extra.name, recipe: recipeOf(extra.recipe), context })),
  }
}

/** What services' own work may keep and read; `archive` is told the service's kind first. */
export interface PrepareMeans extends Pick<PrepareInput, 'revision' | 'archives'> {
  archive(kind: string, ...rest: Parameters<PrepareInput['archive']>): ReturnType<PrepareInput['archive']>
}

/** Toolkit services' own work on the parameters of their machines, and of what they put onto others. */
export async function prepared<Inputs extends PhaseParts>(
  toolkit: ToolkitRegistry,
  component: ResolvedComponent,
  inputs: Inputs,
  { revision, archives, archive }: PrepareMeans,
): Promise<Inputs> {
  const secrets = [...inputs.secrets]
  const prepare = async (kind: string | undefined, context: RecipeContext, extra?: string): Promise<RecipeContext> => {
    const own = kind === undefined ? undefined : toolkit[kind]?.prepare
    if (kind === undefined || !own) return context
    const { parameters, secrets: more } = await own({
      ...(extra !== undefined && { extra }),
      parameters: context.parameters,
      address: context.machine.address,
      peers: context.peers,
      revision,
      archives,
      archive: (key, make) => archive(kind, key, make),
    })
    secrets.push(...more)
    return { ...context, parameters }
  }
  const context = await prepare(component.service, inputs.context)
  const extras: ExtraPart[] = []
  for (const [i, part] of inputs.extras.entries())
    extras.push({ ...part, context: await prepare(component.extras?.[i]?.kind, part.context, part.name) })
  return { ...inputs, context, extras, secrets }
}
