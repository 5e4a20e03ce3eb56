import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { canonicalJson } from '../../model/json.ts'

export interface ConfiguredServer {
  name: string
  address: string
  port: number
}

/** The recipe's `listeners` parameter, resolved. */
export interface ConfiguredListener {
  backend: string
  port: number
  protocol: 'http' | 'tcp'
  algorithm: string
  /** Name of the cookie that keeps a client with its server; null: none does. */
  cookie: string | null
  servers: ConfiguredServer[]
  /** Milliseconds; `downInterval` is that of a server that is out until checks find it healthy. */
  health: { http: string | null; interval: number; downInterval: number; timeout: number; rise: number; fall: number }
  /** Milliseconds. */
  timeouts: { connect: number; client: number; server: number; queue: number }
}

/** Stored for one server under the key `backend/server`. */
export interface ServerOverride {
  /** 0 to 256. */
  weight?: number
  state?: 'drain' | 'maintenance'
}

export type ServerOverrides = Record<string, ServerOverride>

/** Weight of a server that nothing else was said of. */
export const defaultWeight = 100

export const overrideKey = (backend: string, server: string): string => `${backend}/${server}`

/** Goes up with every change of the recipe's template, which a running HAProxy sees by a reload only. */
const templateVersion = 2

/** Digest of all that needs a reload when it changes: everything but the servers and their weights and states. */
export function structureDigest(listeners: ConfiguredListener[]): string {
  const structure = listeners.map(({ servers: _, ...rest }) => rest)
  return createHash('sha256')
    .update(canonicalJson([templateVersion, structure]))
    .digest('hex')
    .slice(0, 16)
}

/** The recipe's parameters, as far as the running process is concerned. */
export function configured(parameters: Record<string, unknown>): {
  listeners: ConfiguredListener[]
  overrides: ServerOverrides
} {
  const { listeners, overrides } = parameters as { listeners: ConfiguredListener[]; overrides?: ServerOverrides }
  return { listeners, overrides: overrides ?? {} }
}

/** Whether two servers are one and the same to a client: HAProxy writes IPv6 addresses in their short form. */
export function sameServer(a: ConfiguredServer, b: ConfiguredServer): boolean {
  return a.name === b.name && a.port === b.port && shortAddress(a.address) === shortAddress(b.address)
}

function shortAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname : address
}
