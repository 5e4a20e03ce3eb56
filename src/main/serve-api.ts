import { createApi } from '../api/create-api.ts'
import type { Parts } from './compose.ts'
import type { HttpServer } from './http-server.ts'
import { version } from './version.ts'

/** Puts the API behind an open port. */
export function serveApi(http: HttpServer, parts: Parts): void {
  const api = createApi({ ...parts, version: version() })
  http.serve((request) => api.fetch(request))
}
