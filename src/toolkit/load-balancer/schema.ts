import { z } from 'zod'
import { durationField, machineField, placementField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'
import { listenerSchema } from './listener-schema.ts'

/** Bytes of a page that HAProxy can send by itself: its buffer has 16 KiB, of which headers want some. */
const maxPage = 12_000

export const loadBalancerSchema = strict({
  listeners: z.array(listenerSchema).min(1, 'at least one listener').max(200),
  maintenance: strict({
    page: z
      .string()
      .refine((text) => Buffer.byteLength(text) <= maxPage, `at most ${maxPage} bytes`)
      .refine((text) => !text.includes('\0'), 'no NUL')
      .optional()
      .describe('HTML that clients get meanwhile, with status 503; a plain one if absent'),
    retryAfter: durationField('1s', '30d').prefault('5m').describe('When clients may ask again: Retry-After'),
    backends: z
      .array(componentNameSchema)
      .max(200)
      .default([])
      .describe('Backends whose clients get the page; `kitbag lb maintenance-on` and `-off` go before it'),
  }).prefault({}),
  floatingAddress: z
    .boolean()
    .default(false)
    .describe('One address for all of its machines, of which one has it at a time; where the cloud has such addresses'),
  machine: machineField,
  replicas: z.int().min(1).max(10).default(1).describe('Machines, each with the whole configuration'),
  placement: placementField,
})

export type LoadBalancerSpec = z.output<typeof loadBalancerSchema>
