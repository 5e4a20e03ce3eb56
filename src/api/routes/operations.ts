import { createRoute, z } from '@hono/zod-openapi'
import { KitbagError } from '../../model/errors.ts'
import type { OperationRecord } from '../../model/operation.ts'
import { isFinal } from '../../model/operation.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { durationQuery } from '../http/duration.ts'
import { paged } from '../http/paging.ts'
import { json, problems } from '../http/responses.ts'
import { deploymentName, opaqueId } from '../schemas/names.ts'
import { operationSchema, operationStatus, presentOperation, presentUnit, unitSchema } from '../schemas/operation.ts'
import { pageOf, pageQuery } from '../schemas/page.ts'

const tags = ['Operations']
const params = z.object({ operation: opaqueId('op') })

const list = createRoute({
  operationId: 'listOperations',
  method: 'get',
  path: '/v1/operations',
  tags,
  summary: 'List operations, newest first',
  request: { query: pageQuery.extend({ deployment: deploymentName.optional(), status: operationStatus.optional() }) },
  responses: { 200: json(pageOf(operationSchema), 'A page'), ...problems },
})
const get = createRoute({
  operationId: 'getOperation',
  method: 'get',
  path: '/v1/operations/{operation}',
  tags,
  summary: 'One operation with its units',
  request: {
    params,
    query: z.object({
      wait: durationQuery(60_000).optional().openapi({ description: 'Wait at most this long (60s) for its end' }),
    }),
  },
  responses: { 200: json(operationSchema.extend({ units: z.array(unitSchema) }), 'The operation'), ...problems },
})
const cancel = createRoute({
  operationId: 'cancelOperation',
  method: 'post',
  path: '/v1/operations/{operation}/cancel',
  tags,
  summary: 'Cancel: nothing new starts, what was done is undone',
  request: { params },
  responses: { 202: json(operationSchema, 'The operation, `cancelling` or already over'), ...problems },
})

/** Throws `not-found`, also for another tenant's. */
export async function findOperation({ store }: ApiDeps, tenantId: string, id: string): Promise<OperationRecord> {
  const found = await store.operations.get(id, tenantId)
  if (found) return found
  throw new KitbagError('not-found', `there is no operation ${id}`, { fix: 'See `kitbag operations`.' })
}

/** The row when it is final, or as it is after `ms`. */
async function waitForEnd(
  { store }: ApiDeps,
  operation: OperationRecord,
  ms: number,
  signal: AbortSignal,
): Promise<OperationRecord> {
  const deadline = Date.now() + ms
  let row = operation
  while (!isFinal(row.status) && Date.now() < deadline && !signal.aborted) {
    await store
      .changed(`operation:${row.id}`, { timeout: Math.min(2000, deadline - Date.now()), signal })
      .catch(() => undefined)
    row = (await store.operations.get(row.id)) ?? row
  }
  return row
}

export function addOperations(api: Api, deps: ApiDeps): void {
  const { store } = deps
  api.openapi(list, async (c) => {
    const { deployment, status, ...page } = c.req.valid('query')
    const filter = {
      ...(deployment !== undefined && { deployment }),
      ...(status !== undefined && { status: [status] }),
    }
    return c.json(
      await paged(
        page,
        (p) => store.operations.list(c.var.tenantId, filter, p),
        ({ id }) => id,
        presentOperation,
      ),
      200,
    )
  })
  api.openapi(get, async (c) => {
    const found = await findOperation(deps, c.var.tenantId, c.req.valid('param').operation)
    const { wait } = c.req.valid('query')
    const row = wait === undefined ? found : await waitForEnd(deps, found, wait, c.req.raw.signal)
    return c.json({ ...presentOperation(row), units: (await store.operations.units(row.id)).map(presentUnit) }, 200)
  })
  api.openapi(cancel, async (c) => {
    const found = await findOperation(deps, c.var.tenantId, c.req.valid('param').operation)
    return c.json(presentOperation((await store.operations.cancel(found.id)) ?? found), 202)
  })
}
