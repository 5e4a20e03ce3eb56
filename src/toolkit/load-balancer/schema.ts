import { isIP } from 'node:net'
import { z } from 'zod'
import { durationField, machineField, placementField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'

const duration = durationField('10ms', '1d')
const port = z.int().min(1).max(65_535)

/** Machines that Kitbag did not deploy. */
const addressesSchema = strict({
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, 'an IPv4 or IPv6 address'))
    .min(1)
    .max(1000),
  port,
})

export const listenerSchema = strict({
  name: componentNameSchema.optional().describe('Name of its backend; default: the component, or external-PORT'),
  port: port.describe('Port that clients connect to'),
  protocol: z.enum(['http', 'tcp']).default('http').describe('http: request by request; tcp: connection by connection'),
  to: z
    .union([componentNameSchema, addressesSchema])
    .describe('A component, or addresses and port of machines that Kitbag did not deploy'),
  algorithm: z
    .enum(['roundrobin', 'leastconn', 'random', 'first', 'source'])
    .default('roundrobin')
    .describe("HAProxy's words"),
  sticky: z
    .boolean()
    .default(false)
    .describe('A cookie keeps a client with the machine that answered it first; protocol http only'),
  health: strict({
    http: z
      .string()
      .regex(/^\/[^\s]*$/, 'a path that begins with /')
      .max(1000)
      .optional()
      .describe("Default: the component's own health path"),
    interval: duration.prefault('500ms').describe('Time between two checks of a machine that serves'),
    timeout: duration.prefault('2s').describe('Time that an answer may take'),
    rise: z.int().min(1).max(100).default(1).describe('Good answers until a machine serves'),
    fall: z.int().min(1).max(100).default(2).describe('Bad answers until it does not'),
  }).prefault({}),
  timeouts: strict({
    connect: duration.prefault('2s').describe('Longest wait for a machine to accept a connection'),
    client: duration.prefault('60s').describe('Longest silence of a client'),
    server: duration.prefault('60s').describe('Longest silence of a machine, so also its time for an answer'),
    queue: duration.prefault('10s').describe('Longest wait of a request for a free machine'),
  }).prefault({}),
})

export const loadBalancerSchema = strict({
  listeners: z.array(listenerSchema).min(1, 'at least one listener').max(200),
  machine: machineField,
  replicas: z.int().min(1).max(10).default(1).describe('Machines, each with the whole configuration'),
  placement: placementField,
})

export type LoadBalancerSpec = z.output<typeof loadBalancerSchema>
export type Listener = LoadBalancerSpec['listeners'][number]

/** Name of the server at the given place, from 0, of a list of addresses. */
export function externalName(index: number): string {
  return `external-${index + 1}`
}

/** Name of the cookie of a sticky listener: browsers tell ports of one host not apart, so each backend has its own. */
export function cookieName(listener: Listener): string {
  return `kitbag-${backendName(listener)}`
}

/** Name of a listener's backend in HAProxy, the API and overrides. */
export function backendName({ name, to, port: own }: Listener): string {
  return name ?? (typeof to === 'string' ? to : `external-${own}`)
}
