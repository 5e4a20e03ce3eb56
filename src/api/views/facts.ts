import type { DeploymentRecord } from '../../db/store.ts'
import { unpackFiles } from '../../lib/archive/unpack.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { MachineRecord } from '../../model/machine.ts'
import type { ReleaseRecord } from '../../model/release.ts'
import { expand } from '../../planner/expand.ts'
import { createFacts, type Facts } from '../../planner/facts.ts'
import { valueVersions } from '../../planner/values.ts'
import { loadRecipe } from '../../recipes/load.ts'
import type { Recipe } from '../../recipes/recipe.ts'
import type { ApiDeps } from '../deps.ts'

type AllOverrides = Awaited<ReturnType<ApiDeps['store']['overrides']['list']>>

/** What a release's components are made of and give to others, as it is now; a mark stands wherever a secret would. */
export async function factsOf(
  deps: ApiDeps,
  { id, tenantId, name: deployment }: DeploymentRecord,
  { number, spec }: ReleaseRecord,
  machines: MachineRecord[],
  overrides: AllOverrides,
): Promise<{ components: ResolvedComponent[]; facts: Facts }> {
  const { components } = expand(spec, deps.toolkit, overrides)
  const recipes = new Map<string, Recipe>()
  for (const [name, { digest, archive }] of Object.entries(spec.recipes)) {
    const shipped = deps.recipes.get(name)
    recipes.set(
      name,
      shipped?.signature.digest === digest
        ? shipped
        : loadRecipe(name, await unpackFiles(deps.store.blobs.read(tenantId, archive))),
    )
  }
  const secrets = new Map(Object.keys(spec.secretVersions).map((name) => [name, '[secret]']))
  const known = await valueVersions(
    {
      toolkit: deps.toolkit,
      deployment: { id, tenantId, name: deployment },
      certificates: deps.store.certificates,
      now: new Date(),
    },
    spec,
  )
  const values = Object.fromEntries(Object.keys(known).map((name) => [name, { value: '[secret]', secret: true }]))
  const world = { release: spec, components, machines, overrides }
  const facts = createFacts({ installation: '', deployment, releaseNumber: number, world, recipes, secrets, values })
  return { components, facts }
}
