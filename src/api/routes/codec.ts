import { createRoute, z } from '@hono/zod-openapi'
import { cors } from 'hono/cors'
import { KitbagError } from '../../model/errors.ts'
import type { Api, ApiDeps, PayloadCodec } from '../deps.ts'
import { json, jsonBody, problems } from '../http/responses.ts'

const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'must be base64')
  .describe('Base64')

/** As protobuf writes it in JSON: https://docs.temporal.io/codec-server. */
const payloadsSchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') }))
    .default([]),
})
type Payloads = z.infer<typeof payloadsSchema>

const tags = ['Service']
const description =
  'Temporal’s codec server protocol, for its command line and page. Off unless the control plane runs with KITBAG_CODEC=on.'
const route = (id: 'decode' | 'encode', summary: string) =>
  createRoute({
    operationId: `${id}Payloads`,
    method: 'post',
    path: `/codec/${id}`,
    tags,
    summary,
    description,
    request: { body: jsonBody(payloadsSchema) },
    responses: { 200: json(payloadsSchema, 'The same payloads'), ...problems },
  })
const decode = route('decode', 'Open what Temporal stores')
const encode = route('encode', 'Seal what Temporal is to store')

/** Browsers may ask from one origin, where that was said. Before tokens are looked at: a browser asks first without one. */
export function allowCodecOrigin(api: Api, { codec }: ApiDeps): void {
  if (codec?.origin === undefined) return
  const allowHeaders = ['authorization', 'content-type', 'x-namespace']
  api.use('/codec/*', cors({ origin: codec.origin, allowMethods: ['POST'], allowHeaders }))
}

export function addCodec(api: Api, deps: ApiDeps): void {
  /** What Temporal stores is the whole installation's: for tokens of its own tenant. */
  async function codecFor(tenantId: string): Promise<PayloadCodec> {
    const { codec, store } = deps
    if (codec && (await store.installation.get()).tenantId === tenantId) return codec
    throw new KitbagError('not-found', 'this control plane does not open payloads', {
      fix: 'Start it with KITBAG_CODEC=on.',
    })
  }
  api.openapi(decode, async (c) => {
    const codec = await codecFor(c.var.tenantId)
    const opened = await codec.decode(bytesOf(c.req.valid('json'))).catch((cause: Error) => {
      throw new KitbagError('invalid-request', `a payload that this control plane cannot open: ${cause.message}`, {
        cause,
      })
    })
    return c.json(textOf(opened), 200)
  })
  api.openapi(encode, async (c) => {
    const codec = await codecFor(c.var.tenantId)
    return c.json(textOf(await codec.encode(bytesOf(c.req.valid('json')))), 200)
  })
}

type Sealed = Awaited<ReturnType<PayloadCodec['decode']>>

function bytesOf({ payloads }: Payloads): Sealed {
  return payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }))
}

function textOf(payloads: Sealed): Payloads {
  const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64')
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, text(value)])),
      data: text(data),
    })),
  }
}
