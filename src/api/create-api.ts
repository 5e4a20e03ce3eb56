import { OpenAPIHono } from '@hono/zod-openapi'
import type { Api, ApiDeps, ApiEnv } from './deps.ts'
import { authenticate } from './http/auth.ts'
import { strictBody } from './http/body.ts'
import { problemDetails, problemResponse } from './http/problem.ts'
import { invalidRequest } from './http/zod-problems.ts'
import { addBlobs } from './routes/blobs.ts'
import { addClouds } from './routes/clouds.ts'
import { addDeployments } from './routes/deployments.ts'
import { addDocs } from './routes/docs.ts'
import { addLogs } from './routes/logs.ts'
import { addMethodCheck } from './routes/methods.ts'
import { addOperationEvents } from './routes/operation-events.ts'
import { addOperations } from './routes/operations.ts'
import { addPlan } from './routes/plan.ts'
import { addReleases } from './routes/releases.ts'
import { addSecrets } from './routes/secrets.ts'
import { addSubmit } from './routes/submit.ts'
import { addSweep } from './routes/sweep.ts'
import { addTokens } from './routes/tokens.ts'
import { addToolkit, largeBodies } from './routes/toolkit.ts'

const adders = [
  addClouds,
  addBlobs,
  addPlan,
  addDeployments,
  addSubmit,
  addOperations,
  addOperationEvents,
  addReleases,
  addSecrets,
  addLogs,
  addSweep,
  addTokens,
  addToolkit,
]

/** The whole HTTP API over its dependencies; opens no port. */
export function createApi(deps: ApiDeps): Api {
  const api: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.target, result.error as never)
    },
  })
  api.onError((error) => {
    const details = problemDetails(error)
    if (details.code === 'internal') deps.log.error('a request failed unexpectedly', { error })
    return problemResponse(details)
  })
  api.use(authenticate(deps.store))
  api.use(strictBody(largeBodies(deps)))
  api.get('/healthz', (c) => c.json({ ok: true }))
  for (const add of adders) add(api, deps)
  addDocs(api, deps)
  addMethodCheck(api)
  return api
}
