import { z } from 'zod'
import { sh } from '../../lib/sh.ts'
import { commonFields, notifications, resourceType, unitName, unitSchema } from './type.ts'

/** A systemd unit that runs or does not, now and after a reboot. */
export const serviceResource = resourceType({
  key: 'service',
  phase: 'configure',
  schema: z.strictObject({
    service: z.union([unitSchema, z.array(unitSchema)]),
    state: z.enum(['running', 'stopped']).optional(),
    enabled: z.boolean().optional(),
    ...commonFields,
  }),
  verbatim: [],
  check: ({ state, enabled }) =>
    state === undefined && enabled === undefined
      ? [{ path: ['service'], message: 'needs state: running or stopped, enabled: true or false, or both' }]
      : [],
  compile: ({ fields }) =>
    [fields.service].flat().map((service) => ({
      resource: `service:${service}`,
      script: sh`kb_service ${unitName(service)} ${fields.state ?? ''} ${String(fields.enabled ?? '')}`.text,
      facts: { units: [unitName(service)] },
      runtime: ['service'],
      notify: notifications(fields.notify),
    })),
})
