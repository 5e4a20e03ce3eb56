import { createApi } from '../api/create-api.ts'
import type { Parts } from './compose.ts'
import type { Config } from './config.ts'
import type { HttpServer } from './http-server.ts'
import { createPayloadCodec } from './temporal/codec.ts'
import { version } from './version.ts'

/** Puts the API behind an open port. */
export function serveApi(http: HttpServer, parts: Parts, { codec }: Pick<Config, 'codec'>, masterKey: Buffer): void {
  const payloads = codec && { codec: { ...createPayloadCodec(masterKey), ...codec } }
  const api = createApi({ ...parts, ...payloads, version: version() })
  http.serve((request) => api.fetch(request))
}
