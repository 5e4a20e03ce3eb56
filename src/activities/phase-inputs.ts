import { unpackFiles } from '../lib/archive.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Phase, RecipeContext } from '../model/recipe.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { configureDigest, installDigest, migrationDigest, type World } from '../planner/digests.ts'
import { createFacts, type Facts, secretsOf } from '../planner/facts.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ActivityDeps } from './deps.ts'
import { keepArchive } from './keep-archive.ts'
import { recipesOf } from './recipes-of.ts'
import { noMachine, type UnitWork } from './unit-work.ts'
import { worldOf } from './world-of.ts'

/** What one phase on one machine is rendered from, at this moment. */
export interface PhaseInputs {
  /** The row as it was read with everything else. */
  machine: MachineRecord
  recipe: Recipe
  context: RecipeContext
  /** Values that nothing may show. */
  secrets: string[]
  /** Of everything that goes in: equal digests need no second run. */
  digest: string
}

/** Throws `internal` naming the fact that is missing, `not-found` for a secret without a value. */
export async function phaseInputs(work: UnitWork, phase: Phase): Promise<PhaseInputs> {
  const { deps, deployment, unit } = work
  const world = await worldOf(work)
  const machine = world.machines.find(({ name }) => name === unit.machine)
  if (!machine) throw noMachine(unit)
  const component = world.components.find(({ name }) => name === machine.component)
  if (!component) throw new KitbagError('internal', `${unit.id}: release ${world.number} has no ${machine.component}`)
  const recipes = await recipesOf(deps, deployment.tenantId, world.release)
  const recipe = recipes.get(component.recipe)
  if (!recipe)
    throw new KitbagError('internal', `${unit.id}: release ${world.number} has no recipe ${component.recipe}`)
  const secrets = await secretValues(deps, deployment.id, world.release)
  const facts = await factsOf(deps, deployment, world.number, world, recipes, secrets)
  const digests: Record<Phase, () => string> = {
    install: () => installDigest(world.release, component),
    migrate: () => migrationDigest(world, component),
    configure: () => configureDigest(world, component, machine),
  }
  const inputs = {
    machine,
    recipe,
    ...facts.context(machine, { later: phase !== 'install' }),
    digest: digests[phase](),
  }
  return phase === 'configure' ? prepared(work, component, inputs) : inputs
}

/** A toolkit service's own work on the parameters of its machines. */
async function prepared(work: UnitWork, component: ResolvedComponent, inputs: PhaseInputs): Promise<PhaseInputs> {
  const { deps, deployment } = work
  const prepare = component.service === undefined ? undefined : deps.toolkit[component.service]?.prepare
  if (!prepare) return inputs
  const { context, secrets } = inputs
  const revision = (key: string, digest: string, least: number) =>
    deps.store.revisions.next(deployment.id, `${component.name} ${key}`, { digest, least })
  const { parameters, secrets: more } = await prepare({
    parameters: context.parameters,
    peers: context.peers,
    revision,
    archives: (digest) => unpackFiles(deps.store.blobs.read(deployment.tenantId, digest)),
    archive: (key, make) =>
      keepArchive(deps, `${deployment.tenantId} ${component.service} ${key}`, deployment.tenantId, make),
  })
  return { ...inputs, context: { ...context, parameters }, secrets: [...secrets, ...more] }
}

export async function factsOf(
  { store }: ActivityDeps,
  deployment: { name: string },
  releaseNumber: number,
  world: World,
  recipes: Map<string, Recipe>,
  secrets: Map<string, string>,
): Promise<Facts> {
  const { id: installation } = await store.installation.get()
  return createFacts({ installation, deployment: deployment.name, releaseNumber, world, recipes, secrets })
}

/** Values in the versions that the release pins. */
export async function secretValues(
  { store }: ActivityDeps,
  deploymentId: string,
  release: ReleaseSpec,
): Promise<Map<string, string>> {
  const values = secretsOf({ release }).map(async ({ name, version }) => {
    const value = await store.secrets.get(deploymentId, name, version)
    if (value !== undefined) return [name, value] as const
    throw new KitbagError('not-found', `the secret ${name} has no value in version ${version} any more`, {
      fix: `Set it and deploy again: kitbag secret set ${name}`,
    })
  })
  return new Map(await Promise.all(values))
}
