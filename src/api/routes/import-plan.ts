import { createRoute } from '@hono/zod-openapi'
import { KitbagError } from '../../model/errors.ts'
import type { ExaminedMachine } from '../../model/imported-machine.ts'
import { loginAddress } from '../../model/machine.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { type ImportPlan, importPlanSchema } from '../schemas/import-plan.ts'
import { inDeployment } from '../schemas/names.ts'
import { importedSchema, type Submit } from '../schemas/submit.ts'
import { unknownCloud } from './clouds.ts'

const route = createRoute({
  operationId: 'planImport',
  method: 'post',
  path: '/v1/deployments/{deployment}/import-plan',
  tags: ['Deployments'],
  summary: 'Look at a machine that is to be imported; changes nothing',
  request: { params: inDeployment, body: jsonBody(importedSchema) },
  responses: { 200: json(importPlanSchema, 'What was found'), ...problems },
})

type Asked = Omit<Extract<Submit, { kind: 'import' }>, 'kind' | 'onConflict' | 'attach'>

/** Throws `not-found` for a cloud that is not connected, and what leaves no one machine to look at. */
export async function examine(
  { store, imports }: ApiDeps,
  tenantId: string,
  deployment: string,
  { cloud: cloudName, component, id, tag, user, port, fingerprint }: Asked,
): Promise<ExaminedMachine> {
  const cloud = await store.clouds.getByName(tenantId, cloudName)
  if (!cloud) throw unknownCloud(cloudName)
  if ((id === undefined) === (tag === undefined))
    throw new KitbagError('invalid-request', 'an import names one machine: by its id, or by a tag of its own')
  return imports.examine({ deployment, component, id, tag, user, port, fingerprint }, cloud)
}

/** Throws what speaks against it first. */
export function refuseImport({ found, findings }: ExaminedMachine): void {
  const failed = findings.filter(({ ok }) => !ok)
  const [first] = failed
  if (!first) return
  throw new KitbagError(
    first.code ?? 'invalid-request',
    `${found.name}: ${failed.map(({ detail }) => detail).join('; ')}`,
    {
      ...(first.fix !== undefined && { fix: first.fix }),
      problems: failed.map(({ name, detail }) => ({ path: name, message: detail })),
    },
  )
}

function present({ name, found, user, hostKey, findings }: ExaminedMachine): ImportPlan {
  const { id, name: called, status, addresses } = found
  const address = loginAddress(addresses)?.address ?? null
  return {
    ok: findings.every(({ ok }) => ok),
    name,
    machine: { id, name: called, status, address, user },
    hostKey: hostKey ? { fingerprint: hostKey.fingerprint, source: hostKey.source } : null,
    findings: findings.map(({ name: what, ok, detail, fix }) => ({
      name: what,
      ok,
      detail: fix === undefined ? detail : `${detail}. ${fix}`,
    })),
  }
}

export function addImportPlan(api: Api, deps: ApiDeps): void {
  api.openapi(route, async (c) => {
    const { deployment } = c.req.valid('param')
    return c.json(present(await examine(deps, c.var.tenantId, deployment, c.req.valid('json'))), 200)
  })
}
