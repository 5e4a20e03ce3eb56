import { redact } from '../lib/secret.ts'
import { expand } from '../planner/expand.ts'
import type { ActivityDeps } from './deps.ts'
import { factsOf, secretValues } from './phase-inputs.ts'
import { recipesOf } from './recipes-of.ts'
import { releaseOf } from './release-of.ts'

/** Where the components of the release in force are, for people: addresses, ports, URLs; secrets blanked out. Best effort. */
export async function outputsOf(deps: ActivityDeps, deploymentId: string): Promise<Record<string, unknown>> {
  const { store, toolkit, log } = deps
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return {}
  try {
    const { number, spec: release } = await releaseOf(store, deploymentId, deployment.currentRelease)
    const overrides = await store.overrides.list(deploymentId)
    const { components } = expand(release, toolkit, overrides)
    const world = { number, release, components, overrides, machines: await store.machines.list(deploymentId) }
    const recipes = await recipesOf(deps, deployment.tenantId, release)
    const secrets = await secretValues(deps, deploymentId, release)
    const facts = await factsOf(deps, deployment, world, recipes, secrets)
    const outputs = components.map(({ name }) => {
      const { machines: _, ...rest } = facts.outputs(name)
      return [name, rest] as const
    })
    return JSON.parse(redact(JSON.stringify(Object.fromEntries(outputs)), facts.hidden))
  } catch (error) {
    log.warn('outputs could not be told', { deployment: deployment.name, error })
    return {}
  }
}
