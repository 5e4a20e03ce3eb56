import { isIP } from 'node:net'
import { z } from 'zod'
import { parseBytes } from '../../lib/bytes.ts'
import { durationField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'
import {
  certificateField,
  checkPathField,
  headerNameField,
  headerValueField,
  hostField,
  networkField,
  pathField,
  realmField,
  routeHostField,
  secretField,
  userNameField,
} from './text-fields.ts'

const duration = durationField('10ms', '1d')
const port = z.int().min(1).max(65_535)

function amount(least: string, most: string) {
  const [low = 0, high = 0] = [parseBytes(least), parseBytes(most)]
  return z
    .string()
    .transform((text) => parseBytes(text) ?? -1)
    .refine((bytes) => bytes >= low && bytes <= high, `must be an amount between ${least} and ${most}`)
}

/** Machines that Kitbag did not deploy. */
const addressesSchema = strict({
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, 'an IPv4 or IPv6 address'))
    .min(1)
    .max(1000),
  port,
})

const targetField = z
  .union([componentNameSchema, addressesSchema])
  .describe('A component, or addresses and port of machines that Kitbag did not deploy')

const redirectField = strict({
  scheme: z.enum(['http', 'https']).optional().describe("Default: the listener's own"),
  host: hostField.optional().describe('Default: the one that was asked for'),
  port: port.optional().describe("Default: the scheme's own"),
  path: pathField.optional().describe('Default: path and query that were asked for'),
  status: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]).default(301),
}).refine(({ status: _, ...place }) => Object.values(place).some((part) => part !== undefined), {
  message: 'needs at least one of scheme, host, port and path',
})

const routeSchema = strict({
  host: routeHostField.optional().describe('www.shop.example, or *.shop.example for all below it'),
  path: pathField.optional().describe('That path and all below it: /api is /api and /api/x, not /apis'),
  exact: z.boolean().default(false).describe('`path` alone, nothing below it'),
  header: z
    .record(headerNameField, headerValueField)
    .optional()
    .describe('Headers that the request must have, each with exactly this value'),
  name: componentNameSchema.optional().describe('Name of its backend; default: the component'),
  to: targetField.optional(),
  redirect: redirectField.optional(),
}).refine(({ to, redirect }) => to !== undefined || redirect, 'a route needs `to` or `redirect`')

export const listenerSchema = strict({
  name: componentNameSchema.optional().describe('Name of its backend; default: the component, or external-PORT'),
  port: port.describe('Port that clients connect to'),
  protocol: z
    .enum(['http', 'https', 'tcp'])
    .default('http')
    .describe('http, https: request by request; tcp: connection by connection'),
  certificates: z
    .array(certificateField)
    .min(1)
    .max(100)
    .optional()
    .describe(
      'https: names of certificates, of another service than `certificates` as edge.web; the client’s SNI chooses, the first is for those without',
    ),
  hsts: strict({
    maxAge: durationField('0s', '3650d').prefault('365d').describe('How long browsers use nothing but https'),
    includeSubDomains: z.boolean().default(false),
    preload: z.boolean().default(false),
  })
    .optional()
    .describe('https: Strict-Transport-Security'),
  to: targetField.optional(),
  redirect: redirectField.optional().describe('Instead of `to`: where clients are sent'),
  routes: z
    .array(routeSchema)
    .max(200)
    .default([])
    .describe('What goes elsewhere than `to`; the most specific one counts. tcp: by `host` (SNI of TLS) only'),
  proxyProtocol: strict({
    acceptFrom: z.array(networkField).max(1000).default([]).describe('Networks whose PROXY header is taken'),
    send: z.enum(['v1', 'v2']).optional().describe('Servers are sent one of this version'),
  }).prefault({}),
  rateLimit: strict({
    requests: z.int().min(1).max(1_000_000),
    per: durationField('1s', '1h').prefault('10s'),
  })
    .optional()
    .describe('Of one client address, on all machines together; more are answered with 429'),
  allow: z.array(networkField).max(10_000).default([]).describe('Networks that may come; empty: all'),
  deny: z.array(networkField).max(10_000).default([]).describe('Networks that may not'),
  basicAuth: strict({
    realm: realmField.default('Restricted'),
    users: z
      .array(strict({ name: userNameField, password: secretField.describe('By reference: ${secrets.X}') }))
      .min(1)
      .max(100),
  })
    .optional()
    .describe('Users that may come, by name and password'),
  compression: z.boolean().default(false).describe('Texts are sent compressed (gzip) to clients that take it'),
  accessLog: z.boolean().default(true).describe('A line for each request, or connection, in the journal'),
  limits: strict({
    body: amount('1B', '1TiB').optional().describe('Largest body of a request; more is answered with 413'),
    headers: amount('256B', '15KiB').optional().describe('Largest header of a request; more is answered with 431'),
  }).prefault({}),
  algorithm: z
    .enum(['roundrobin', 'leastconn', 'random', 'first', 'source'])
    .default('roundrobin')
    .describe("HAProxy's words"),
  sticky: z
    .boolean()
    .default(false)
    .describe('A cookie keeps a client with the machine that answered it first; not with protocol tcp'),
  health: strict({
    http: checkPathField.optional().describe("Default: the component's own health path"),
    interval: duration.prefault('500ms').describe('Time between two checks of a machine that serves'),
    timeout: duration
      .prefault('2s')
      .describe('How long a machine may be silent: `fall` checks in a row, each of which has its part of it'),
    rise: z.int().min(1).max(100).default(1).describe('Good answers until a machine serves'),
    fall: z.int().min(1).max(100).default(2).describe('Bad answers until it does not'),
  }).prefault({}),
  timeouts: strict({
    connect: duration.prefault('2s').describe('Longest wait for a machine to accept a connection'),
    client: duration.prefault('60s').describe('Longest silence of a client'),
    server: duration.prefault('60s').describe('Longest silence of a machine, so also its time for an answer'),
    queue: duration.prefault('10s').describe('Longest wait of a request for a free machine'),
    tunnel: duration.prefault('1h').describe('Longest silence of both on a WebSocket'),
  }).prefault({}),
}).refine(
  ({ to, redirect, routes }) => to !== undefined || redirect || routes.length > 0,
  'a listener needs `to`, `redirect` or `routes`',
)

export type Listener = z.output<typeof listenerSchema>
export type Route = Listener['routes'][number]
export type Target = NonNullable<Listener['to']>
export type Redirect = NonNullable<Listener['redirect']>
