import type { DeploymentRecord } from '../db/store.ts'
import type { ValueSource } from '../planner/values.ts'
import type { ActivityDeps } from './deps.ts'

/** What services make their own values from, at this moment. */
export function valueSource({ store, toolkit }: ActivityDeps, { id, tenantId, name }: DeploymentRecord): ValueSource {
  return { toolkit, deployment: { id, tenantId, name }, certificates: store.certificates, now: new Date() }
}
