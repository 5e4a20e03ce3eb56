import { createHash } from 'node:crypto'
import { canonicalJson } from '../../model/json.ts'

/** The recipe's `listeners` parameter, resolved. */
export interface ConfiguredListener {
  backend: string
  port: number
  protocol: 'http' | 'tcp'
  algorithm: string
  servers: { name: string; address: string; port: number }[]
  health: { http: string | null; interval: number; timeout: number; rise: number; fall: number }
  timeouts: { connect: number; client: number; server: number; queue: number }
}

/** Stored for one server under the key `backend/server`. */
export interface ServerOverride {
  /** 0 to 256. */
  weight?: number
  state?: 'drain' | 'maintenance'
}

export const overrideKey = (backend: string, server: string): string => `${backend}/${server}`

/** Goes up with every change of the recipe's template, which a running HAProxy sees by a reload only. */
const templateVersion = 1

/** Digest of all that needs a reload when it changes: everything but the servers and their weights and states. */
export function structureDigest(listeners: ConfiguredListener[]): string {
  const structure = listeners.map(({ servers: _, ...rest }) => rest)
  return createHash('sha256')
    .update(canonicalJson([templateVersion, structure]))
    .digest('hex')
    .slice(0, 16)
}
