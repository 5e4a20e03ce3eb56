import { z } from 'zod'

/** What an opaque id names; its prefix in the id. */
export type IdPrefix = 'ins' | 'ten' | 'tok' | 'cld' | 'dep' | 'rel' | 'mac' | 'op' | 'sec' | 'crt' | 'ca'

/**
 * A new opaque id: prefix, `_`, 20 characters of lower-case base 32. The first 9 carry the time (ms), so ids sort by age;
 * the rest is random (55 bits). Safe in DNS labels (with `_` replaced), file names, tags and workflow ids.
 */
export function newId(prefix: IdPrefix, now = Date.now()): string {
  const alphabet = '23456789abcdefghijkmnpqrstuvwxyz'
  let time = ''
  for (let rest = now, i = 0; i < 9; i++, rest = Math.floor(rest / 32)) time = alphabet[rest % 32] + time
  const random = crypto.getRandomValues(new Uint8Array(11))
  return `${prefix}_${time}${Array.from(random, (byte) => alphabet[byte % 32]).join('')}`
}

/** A name that a user gives (deployment, component, cloud): a DNS label, so it can be a host name as it is. */
export const nameSchema = z
  .string()
  .max(40, 'at most 40 characters')
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and hyphens, beginning with a letter')

/** A component's or service's name: also camelCase, because expressions refer to it (`loadBalancer.addresses`). */
export const componentNameSchema = z
  .string()
  .max(40, 'at most 40 characters')
  .regex(/^[a-z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$/, 'letters, digits and inner hyphens, beginning with a lower-case letter')

/** sha256 of some bytes, 64 hex digits. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 digest of 64 lower-case hex digits')
