import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { canonicalJson } from '../../model/json.ts'
import { isFinal, type OperationKind, type OperationRecord, type OperationRequest } from '../../model/operation.ts'
import { askedOf } from '../asked.ts'
import type { Api, ApiDeps, ApiEnv } from '../deps.ts'
import { etagOf, requireMatch } from '../http/etag.ts'
import { accepted, json, jsonBody, problems } from '../http/responses.ts'
import { onceHeaders, onceOf } from '../once.ts'
import { inDeployment } from '../schemas/names.ts'
import { operationSchema, presentOperation } from '../schemas/operation.ts'
import { type Submit, submitSchema } from '../schemas/submit.ts'
import { describe } from '../views/deployment.ts'

const submit = createRoute({
  operationId: 'submitOperation',
  method: 'post',
  path: '/v1/deployments/{deployment}/operations',
  tags: ['Operations'],
  summary: 'Deploy, roll back, scale, heal, check, import, forget or destroy',
  description: 'Answers at once with the operation. The same `Idempotency-Key` gives the same operation.',
  request: {
    params: inDeployment,
    body: jsonBody(submitSchema),
    headers: onceHeaders,
  },
  responses: { 202: { ...json(operationSchema, 'Submitted'), ...accepted }, ...problems },
})

export function addSubmit(api: Api, deps: ApiDeps): void {
  api.openapi(submit, async (c) => {
    const name = c.req.valid('param').deployment
    const body = c.req.valid('json')
    return accept(c, await submitOnce(deps, c, name, { name, body }, async () => body))
  })
}

/**
 * Submits what a request asks for; with an `Idempotency-Key` that is known, gives the operation of before. `asked` is what the key stands
 * for; `make` gives the body. Throws `precondition-failed` for an `If-Match` of another version.
 */
export async function submitOnce(
  deps: ApiDeps,
  c: Context<ApiEnv>,
  name: string,
  asked: unknown,
  make: () => Promise<Submit>,
): Promise<OperationRecord> {
  const { store } = deps
  const { tenantId } = c.var
  const once = await onceOf(deps, c, asked)
  if (once.known) return once.known
  const existing = await store.deployments.getByName(tenantId, name)
  if (existing && c.req.header('if-match') !== undefined) requireMatch(c, etagOf(await describe(deps, existing)))
  const body = await make()
  const { deployment, kind, request } = await askedOf(deps, tenantId, name, body)
  const open = body.attach ? await openTwin(deps, tenantId, name, kind, request) : undefined
  if (open) return open
  const { operation } = await store.operations.submit({
    tenantId,
    deploymentId: deployment.id,
    deployment: name,
    kind,
    request,
    onConflict: body.onConflict,
    ...once.as,
  })
  return operation
}

/** The answer 202 with where the operation is. */
export function accept(c: Context<ApiEnv>, operation: OperationRecord) {
  c.header('location', `/v1/operations/${operation.id}`)
  return c.json(presentOperation(operation), 202)
}

/** The open operation that asks for the very same: a client that was cut off comes back to it. */
async function openTwin(
  { store }: ApiDeps,
  tenantId: string,
  deployment: string,
  kind: OperationKind,
  request: OperationRequest,
) {
  const open = await store.operations.list(tenantId, { deployment, status: ['queued', 'running'] }, { limit: 50 })
  return open.find(
    (row) => !isFinal(row.status) && row.kind === kind && canonicalJson(row.request) === canonicalJson(request),
  )
}
