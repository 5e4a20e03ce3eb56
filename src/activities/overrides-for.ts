import type { DeploymentRecord, Store } from '../db/store.ts'
import type { JsonObject } from '../model/json.ts'
import type { OperationRecord, UnitStage } from '../model/operation.ts'
import { beginning, changed, ending } from '../planner/canary.ts'
import { effectiveOverrides } from '../planner/effective-overrides.ts'
import { releaseOf } from './release-of.ts'

export type AllOverrides = Record<string, Record<string, JsonObject>>

interface Who {
  store: Pick<Store, 'overrides' | 'releases'>
  operation: OperationRecord
  deployment: DeploymentRecord
  stage: UnitStage
}

/**
 * Overrides as they hold for an operation on its way forward. What it changes is stored only when it has succeeded, so that undoing
 * it, and everybody else meanwhile, sees what is in force.
 */
export async function overridesFor({ store, operation, deployment, stage }: Who): Promise<AllOverrides> {
  const before = await store.overrides.list(operation.deploymentId)
  const { kind, request } = operation
  if (stage === 'undo') return before
  const stored = changed(before, canaryChanges(operation, before))
  if (kind === 'scale') return { ...stored, scale: { ...stored.scale, ...scaleOverrides(request.scale) } }
  if (!stored.scale || request.release === undefined || deployment.currentRelease === null) return stored
  const current = await releaseOf(store, deployment.id, deployment.currentRelease)
  const next = await releaseOf(store, deployment.id, request.release)
  return effectiveOverrides(stored, current.spec, next.spec)
}

/** What a deploy or rollback makes of the canary: it begins one, or ends the one in force. */
export function canaryChanges(
  { kind, request: { canary, release } }: OperationRecord,
  stored: AllOverrides,
): Record<string, Record<string, JsonObject | null>> {
  if (kind !== 'deploy' && kind !== 'rollback') return {}
  return canary && release !== undefined ? beginning(stored, canary, release) : ending(stored)
}

/** What becomes of stored scales when the operation has succeeded; null: it holds no more. */
export async function scaleChanges(who: Omit<Who, 'stage'>): Promise<Record<string, JsonObject | null>> {
  const before = (await who.store.overrides.list(who.operation.deploymentId)).scale ?? {}
  const after = (await overridesFor({ ...who, stage: 'main' })).scale ?? {}
  const gone = Object.keys(before).filter((component) => !Object.hasOwn(after, component))
  return { ...after, ...Object.fromEntries(gone.map((component) => [component, null])) }
}

function scaleOverrides(scale: Record<string, number> = {}): Record<string, JsonObject> {
  return Object.fromEntries(Object.entries(scale).map(([component, replicas]) => [component, { replicas }]))
}
