import type { OperationRecord } from '../model/operation.ts'
import { expand } from '../planner/expand.ts'
import { refersTo } from '../planner/links.ts'
import { loadPlanInput } from '../planner/load.ts'
import { machinesToCreate, plan } from '../planner/plan.ts'
import type { ActivityDeps } from './deps.ts'
import { releaseOf } from './release-of.ts'

/**
 * A push changes machines of services in place. Those of the application that refer to the service are changed as by a deploy: out of
 * traffic, one after the other. So where there is something to change, the release in force is brought about once more.
 */
export async function followPush(
  { store, toolkit }: ActivityDeps,
  { id, deploymentId, request }: OperationRecord,
): Promise<void> {
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return
  const { spec } = await releaseOf(store, deploymentId, deployment.currentRelease)
  const { components } = expand(spec, toolkit, await store.overrides.list(deploymentId))
  const uses = components.some((one) => one.service === undefined && refersTo(one, request.service ?? ''))
  if (!uses || !spec.blueprint.services.some(({ name, kind }) => name === request.service && toolkit[kind]?.values))
    return
  const input = await loadPlanInput(store, deploymentId, { kind: 'scale', release: deployment.currentRelease }, toolkit)
  if (machinesToCreate(input).length === 0 && plan(input, new Map()).units.length === 0) return
  const { tenantId, name } = deployment
  const idempotencyKey = `${id} follows`
  const same = { scale: {} }
  await store.operations.submit({
    tenantId,
    deploymentId,
    deployment: name,
    kind: 'scale',
    request: same,
    idempotencyKey,
  })
}
