import { createRoute, z } from '@hono/zod-openapi'
import { checkArchive } from '../../lib/archive/unpack.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { json, jsonBody, problems } from '../http/responses.ts'
import { digest } from '../schemas/names.ts'

const tags = ['Blobs']
/** Read as a stream by the route, so this is for the document alone. */
const archive = z.string().openapi({ format: 'binary', description: 'A tar archive, up to 512 MiB' })
const put = createRoute({
  operationId: 'putBlob',
  method: 'put',
  path: '/v1/blobs/{digest}',
  tags,
  summary: 'Upload the tar archive of a folder under its sha256',
  request: {
    params: z.object({ digest }),
    body: { required: true, content: { 'application/x-tar': { schema: archive } } },
  },
  responses: { 201: json(z.object({ digest, size: z.int() }), 'Stored'), ...problems },
})
const missing = createRoute({
  operationId: 'findMissingBlobs',
  method: 'post',
  path: '/v1/blobs/missing',
  tags,
  summary: 'Which of these are not stored yet',
  request: { body: jsonBody(z.strictObject({ digests: z.array(digest).max(1000) })) },
  responses: { 200: json(z.object({ missing: z.array(digest) }), 'Those to upload'), ...problems },
})

export function addBlobs(api: Api, { store }: ApiDeps): void {
  api.openapi(put, async (c) => {
    const { digest: name } = c.req.valid('param')
    const body = (c.req.raw.body ??
      new ReadableStream<Uint8Array>({ start: (stream) => stream.close() })) as unknown as AsyncIterable<Uint8Array>
    const { size } = await store.blobs.put(c.var.tenantId, name, body)
    // Looked at as soon as it is whole; every use looks again.
    await checkArchive(store.blobs.read(c.var.tenantId, name))
    return c.json({ digest: name, size }, 201)
  })
  api.openapi(missing, async (c) => {
    const { digests } = c.req.valid('json')
    const present = new Set(await store.blobs.has(c.var.tenantId, digests))
    return c.json({ missing: digests.filter((name) => !present.has(name)) }, 200)
  })
}
