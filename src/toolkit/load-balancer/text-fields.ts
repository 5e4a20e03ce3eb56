import { isIP, isIPv4 } from 'node:net'
import { z } from 'zod'
import { isReference, type Value } from '../../model/value.ts'

/**
 * Texts that end up in haproxy.cfg or in its maps. Each admits what the thing can be and nothing else: no control characters, quotes,
 * braces, backslashes, `$`, `%` formats or spaces that could end a word.
 */

/** A path, also with a query: of health checks. */
export const checkPathField = z
  .string()
  .max(1000)
  .regex(
    /^\/[A-Za-z0-9._~/?&=%+:@!*,;-]*$/,
    'must be a path that begins with /, of letters, digits and ._~/?&=%+:@!*,;-',
  )

/** A path without a query: of routes and redirects. */
export const pathField = z
  .string()
  .max(1000)
  .regex(/^\/[A-Za-z0-9._~/+:@!*,;=&-]*$/, 'must be a path that begins with /, of letters, digits and ._~/+:@!*,;=&-')

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const hostPattern = new RegExp(`^${label}(\\.${label})*$`)
const routeHostPattern = new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`)

const lower = z
  .string()
  .max(253)
  .transform((text) => text.toLowerCase())

/** A host name. */
export const hostField = lower.refine((text) => hostPattern.test(text), 'must be a host name such as www.shop.example')

/** A host name, or `*.` and one: every name below it. */
export const routeHostField = lower.refine(
  (text) => routeHostPattern.test(text),
  'must be a host name such as www.shop.example, or *.shop.example',
)

export const headerNameField = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header: letters, digits and hyphens')

export const headerValueField = z
  .string()
  .min(1)
  .max(500)
  .regex(
    /^[A-Za-z0-9._~/?&=%+:@!*,;-]+( [A-Za-z0-9._~/?&=%+:@!*,;-]+)*$/,
    'must be words of letters, digits and ._~/?&=%+:@!*,;-',
  )

/** An address, or a network such as 10.0.0.0/8. */
export const networkField = z.string().refine(isNetwork, 'must be an address or a network such as 10.0.0.0/8')

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  if (isIP(address) === 0 || more.length > 0 || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128))
}

export const userNameField = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9._@-]+$/, 'must be letters, digits and ._@-')

export const realmField = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*$/, 'must be words of letters, digits and ._-')

/** A text that only a secret may give. */
export const secretField = z.custom<Value>(
  (value) => isReference(value) && value.$ref.startsWith('secrets.'),
  'must be a secret such as ${secrets.ADMIN_PASSWORD}',
)

const nameText = '[a-z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*'
const certificatePattern = new RegExp(`^(${nameText}\\.)?${nameText}$`)

/** The service that certificates are of when nothing else is said: what one alone in a blueprint is called. */
const usualService = 'certificates'

/** A certificate by its name, `web`, or by that and its service's, `edge.web`. Each has one spelling: `certificates.web` is `web`. */
export const certificateField = z
  .string()
  .max(81)
  .regex(
    certificatePattern,
    'must be the name of a certificate such as web, or of one of another service such as edge.web',
  )
  .transform((text) => (text.startsWith(`${usualService}.`) ? text.slice(usualService.length + 1) : text))

/** What `certificateField` calls a certificate of a service. */
export function certificateName(service: string, certificate: string): string {
  return service === usualService ? certificate : `${service}.${certificate}`
}

/** The reference to its PEM text: `certificates.web.pem`. */
export function certificateReference(name: string): string {
  return `${name.includes('.') ? name : `${usualService}.${name}`}.pem`
}
