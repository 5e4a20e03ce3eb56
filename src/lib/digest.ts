import { createHash } from 'node:crypto'
import { canonicalJson } from '../model/json.ts'

/** sha256, 64 lower-case hex digits. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** sha256 of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value))
}
