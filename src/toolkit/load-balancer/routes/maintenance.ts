import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { ToolkitRoute } from '../../contract.ts'
import { closedBackends, type MaintenanceOverride, maintenanceKey } from '../configuration.ts'
import type { LoadBalancerSpec } from '../schema.ts'
import { backendsOf } from '../targets.ts'
import { findBackend } from './find-backend.ts'

export const backendsRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'backends',
  method: 'get',
  path: '/backends',
  summary: 'Backends: what they send to, and whether clients get the maintenance page instead',
  response: z.object({
    backends: z.array(
      z.object({
        backend: z.string(),
        component: z.string().nullable().describe('null: machines that Kitbag did not deploy'),
        listeners: z.array(z.int()).describe('Ports of the listeners that send to it'),
        maintenance: z.boolean(),
      }),
    ),
  }),
  cli: [{ name: 'backends', summary: 'Show backends' }],
  async read({ spec, parameters }) {
    const { overrides = {} } = (await parameters()) as { overrides?: Record<string, MaintenanceOverride> }
    const backends = [...backendsOf(spec).values()]
    const names = backends.map(({ backend }) => backend)
    const closed = closedBackends(names, spec.maintenance.backends, overrides)
    return {
      backends: backends.map(({ backend, to }) => ({
        backend,
        component: typeof to === 'string' ? to : null,
        listeners: spec.listeners
          .filter((listener) => backendsOf({ listeners: [listener] }).has(backend))
          .map(({ port }) => port),
        maintenance: closed.includes(backend),
      })),
    }
  },
}

export const maintenanceRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'maintenance.change',
  method: 'put',
  path: '/backends/{backend}/maintenance',
  summary:
    'Puts a backend into maintenance, whose clients get the page, or takes it out; kept until it is changed again',
  body: z.strictObject({ on: z.boolean().describe('Whether clients get the maintenance page') }),
  response: z.object({}),
  cli: [
    { name: 'maintenance-on', summary: 'Send the maintenance page to all clients of a backend', fixed: { on: true } },
    { name: 'maintenance-off', summary: 'Let clients of a backend through again', fixed: { on: false } },
  ],
  change({ spec, params: { backend = '' }, body }) {
    const { listener } = findBackend(spec, backend)
    if (listener.protocol === 'tcp')
      throw new KitbagError('invalid-request', `${backend} is tcp: there is no page for its clients`, {
        fix: 'Take its servers out: kitbag lb maintenance.',
      })
    return { [maintenanceKey(backend)]: { on: body.on === true } }
  },
}
