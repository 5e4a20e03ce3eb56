import { problemDetailsOf } from '../../model/problem.ts'
import type { Api } from '../deps.ts'
import { problemResponse } from './problem.ts'

/** What no route took: 405 with `Allow` where the path is known by other methods, else 404. */
export function answerUnknownPaths(api: Api): void {
  api.notFound((c) => {
    const path = c.req.path.split('/')
    const fits = (route: string) => {
      const parts = route.split('/')
      return parts.length === path.length && parts.every((part, i) => part.startsWith(':') || part === path[i])
    }
    const methods = [
      ...new Set(api.routes.filter((route) => route.method !== 'ALL' && fits(route.path)).map(({ method }) => method)),
    ].sort()
    if (methods.length === 0)
      return problemResponse(
        problemDetailsOf({
          code: 'not-found',
          message: `there is nothing at ${c.req.path}`,
          fix: 'See /docs for what there is.',
        }),
      )
    const details = problemDetailsOf({
      code: 'method-not-allowed',
      message: `${c.req.path} does not take ${c.req.method}`,
      fix: `Use ${methods.join(' or ')}.`,
    })
    return problemResponse(details, { allow: methods.join(', ') })
  })
}
