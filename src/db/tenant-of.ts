import { eq } from 'drizzle-orm'
import { KitbagError } from '../model/errors.ts'
import type { Database } from './database.ts'
import { deployments } from './schema.ts'

/** Whose a deployment is. `lock`: nobody else changes it until the transaction ends. Throws `not-found`. */
export async function tenantOf(db: Database, deploymentId: string, { lock = false } = {}): Promise<string> {
  const query = db.select({ tenantId: deployments.tenantId }).from(deployments).where(eq(deployments.id, deploymentId))
  const [row] = await (lock ? query.for('update') : query)
  if (row) return row.tenantId
  throw new KitbagError('not-found', `no deployment ${deploymentId}`)
}
