import { isIPv6 } from 'node:net'
import type { Listener } from './listener-schema.ts'

export interface ConfiguredServer {
  name: string
  address: string
  port: number
}

/** One of the recipe's `backends`, resolved. */
export interface ConfiguredBackend {
  backend: string
  mode: 'http' | 'tcp'
  algorithm: string
  /** Name of the cookie that keeps a client with its server; null: none does. */
  cookie: string | null
  servers: ConfiguredServer[]
  /** Servers are come to by TLS, through doors of their machines that are made of the seed; absent: as they are. */
  door?: { component: string; seed: string }
  /** Version of the PROXY header that servers are sent. */
  proxyProtocol: 'v1' | 'v2' | null
  /** Milliseconds; `downInterval` is that of a server whose last check said otherwise, or that is out. `timeout` is that of `fall` checks. */
  health: { http: string | null; interval: number; downInterval: number; timeout: number; rise: number; fall: number }
  /** Milliseconds. */
  timeouts: { connect: number; client: number; server: number; queue: number; tunnel: number }
}

/** A listener as the recipe's parameters have it: without secrets. */
export type ConfiguredListener = Omit<Listener, 'basicAuth'> & { basicAuth?: { realm: string } }

/** One of the machines that count clients together. */
export interface Peer {
  name: string
  address: string
}

/** What they prove themselves to each other by, among the files of certificates, under a name that none of them can have. */
export const peersCertificate = '@peers'

/** Full chain and private key, one PEM text. */
export interface ConfiguredCertificate {
  name: string
  pem: string
}

/** Stored for one server under the key `backend/server`. */
export interface ServerOverride {
  /** 0 to 256. */
  weight?: number
  state?: 'drain' | 'maintenance'
}

export type ServerOverrides = Record<string, ServerOverride>

/** Stored for one backend, under a key that no server has. */
export interface MaintenanceOverride {
  on: boolean
}

/** Weight of a server that nothing else was said of. */
export const defaultWeight = 100

export const overrideKey = (backend: string, server: string): string => `${backend}/${server}`

export const maintenanceKey = (backend: string): string => `maintenance:${backend}`

/** Where the recipe puts what HAProxy reads beside its configuration. */
export const folder = '/etc/haproxy/kitbag'

export const certificateFile = (name: string): string => `${folder}/certificates/${name}.pem`

/** Backends whose clients get the maintenance page: a map from names to 1. */
export const maintenanceMap = `${folder}/maintenance.map`

/** Answers to ACME servers: a map from paths to contents. */
export const challengesMap = `${folder}/acme.map`

/** The recipe's parameters once prepared, as far as the running process is concerned. */
export interface Configured {
  /** Digest of all that needs a reload when it changes: everything but servers, weights, states, certificates and maintenance. */
  structure: string
  listeners: ConfiguredListener[]
  backends: ConfiguredBackend[]
  /** Those that clients are shown. */
  certificates: ConfiguredCertificate[]
  /** The machines themselves, where they count clients together. */
  nodes: Peer[]
  /** Backends in maintenance. */
  closed: string[]
  overrides: ServerOverrides
}

export function configured(parameters: Record<string, unknown>): Configured {
  const { structure, listeners, backends, certificates, nodes, closed, overrides } = parameters as unknown as Configured
  const shown = certificates.filter(({ name }) => !name.startsWith('@'))
  return { structure, listeners, backends, certificates: shown, nodes, closed, overrides }
}

/** What the map of backends in maintenance holds. */
export function maintenanceEntries({ closed }: Pick<Configured, 'closed'>): Map<string, string> {
  return new Map(closed.map((backend) => [backend, '1']))
}

/** Backends whose clients get the page: as the blueprint says, unless it was switched since. In order. */
export function closedBackends(backends: string[], said: string[], overrides: Record<string, object>): string[] {
  return backends
    .filter(
      (backend) =>
        (overrides[maintenanceKey(backend)] as MaintenanceOverride | undefined)?.on ?? said.includes(backend),
    )
    .sort()
}

/** Whether the running process cannot be given other servers: it adds none with a cookie, and reads no certificate for a new one. */
export function isFixed({ cookie, door }: Pick<ConfiguredBackend, 'cookie' | 'door'>): boolean {
  return cookie !== null || door !== undefined
}

/** Whether two servers are one and the same to a client: HAProxy writes IPv6 addresses in their short form. */
export function sameServer(a: ConfiguredServer, b: ConfiguredServer): boolean {
  return a.name === b.name && a.port === b.port && shortAddress(a.address) === shortAddress(b.address)
}

function shortAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname : address
}
