import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { JsonObject } from '../../../model/json.ts'
import { machineName } from '../../../model/machine.ts'
import type { ToolkitRoute } from '../../contract.ts'
import { overrideKey } from '../configuration.ts'
import type { LoadBalancerSpec } from '../schema.ts'
import { externalName, isServerOf } from '../targets.ts'
import { findBackend } from './find-backend.ts'

export const serverRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'server.change',
  method: 'patch',
  path: '/backends/{backend}/servers/{server}',
  summary: 'Changes weight or state of one server; kept until it is changed again',
  body: z.strictObject({
    weight: z.int().min(0).max(256).optional().describe('0 to 256; default 100'),
    state: z.enum(['ready', 'drain', 'maintenance']).optional(),
  }),
  response: z.object({}),
  cli: [
    { name: 'set', summary: 'Change weight or state of a server' },
    { name: 'drain', summary: 'Send no new clients to a server', fixed: { state: 'drain' } },
    { name: 'maintenance', summary: 'Take a server out, without health checks', fixed: { state: 'maintenance' } },
    { name: 'ready', summary: 'Send to a server again', fixed: { state: 'ready' } },
  ],
  change({ spec, params, body, overrides }) {
    const { backend = '', server = '' } = params
    refuseUnknown(spec, backend, server)
    const { weight, state } = body as { weight?: number; state?: string }
    if (weight === undefined && state === undefined)
      throw new KitbagError('invalid-request', 'nothing to change: neither `weight` nor `state` was given', {
        fix: 'Give one: --set weight=50, or --set state=drain.',
      })
    const key = overrideKey(backend, server)
    const merged: JsonObject = { ...overrides[key] }
    if (weight !== undefined) merged.weight = weight
    if (state === 'ready') delete merged.state
    else if (state !== undefined) merged.state = state
    return { [key]: Object.keys(merged).length === 0 ? null : merged }
  },
}

/** Throws `not-found` for a backend that is not there, and for a name that no server of it can have. */
function refuseUnknown(spec: LoadBalancerSpec, backend: string, server: string): void {
  const { to } = findBackend(spec, backend)
  if (isServerOf(to, server)) return
  const first = typeof to === 'string' ? machineName(to, 1) : externalName(0)
  throw new KitbagError('not-found', `the backend ${backend} has no server ${server}`, {
    fix: `Its servers are called ${first} and so on; kitbag lb stats shows them.`,
  })
}
