import { OpenAPIHono } from '@hono/zod-openapi'
import type { Api, ApiDeps, ApiEnv } from './deps.ts'
import { authenticate } from './http/auth.ts'
import { strictBody } from './http/body.ts'
import { problemDetails, problemResponse } from './http/problem.ts'
import { answerUnknownPaths } from './http/unknown-paths.ts'
import { invalidRequest } from './http/zod-problems.ts'
import { allowCodecOrigin } from './routes/codec.ts'
import * as routes from './routes/index.ts'
import { largeBodies } from './routes/toolkit.ts'

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
  allowCodecOrigin(api, deps)
  api.use(authenticate(deps.store))
  api.use(strictBody(largeBodies(deps)))
  for (const add of Object.values(routes)) add(api, deps)
  answerUnknownPaths(api)
  return api
}
