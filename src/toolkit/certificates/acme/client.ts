import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { KitbagError } from '../../../model/errors.ts'
import { type Answer, ask, type Trust } from './http.ts'

/** Refusals of a nonce in a row after which an authority is given up (RFC 8555, 6.5): at 30 % refused, one request in 10^10. */
const mostNonces = 20

interface AcmeServer extends Trust {
  directory: string
}

interface Directory {
  newNonce: string
  newAccount: string
  newOrder: string
}

/** What an authority said against a request (RFC 7807). */
export class AcmeRefusal extends KitbagError {
  /** The last part of its URN: `rateLimited`. */
  readonly type: string
  /** Milliseconds, where it said so. */
  readonly retryAfter: number | undefined

  constructor(server: string, status: number, problem: Problem, retryAfter: number | undefined) {
    super('service-failed', `${server}: ${wordsOf(problem) || `status ${status}`}`, { retryable: true })
    this.type = problem.type?.replace('urn:ietf:params:acme:error:', '') ?? ''
    this.retryAfter = retryAfter
  }
}

export interface Problem {
  type?: string
  detail?: string
  identifier?: { value?: string }
  subproblems?: Problem[]
}

/** A problem with its parts, in words. */
export function wordsOf({ type, detail, identifier, subproblems = [] }: Problem): string {
  const own = [identifier?.value, detail ?? type].filter(Boolean).join(': ')
  return [own, ...subproblems.map(wordsOf)].filter(Boolean).join('; ')
}

/** Requests as one account (RFC 8555, 6): signed, each with a nonce, tried again when only that was refused. */
export interface AcmeClient {
  /** Base64url of the key's digest, which challenges are answered with (RFC 7638). */
  thumbprint: string
  directory(): Promise<Directory>
  /** `payload` absent: reads (POST-as-GET). Throws AcmeRefusal, `service-failed` when it does not answer. */
  post(url: string, payload?: object): Promise<Answer>
  /** Registers, or finds, the account of the key; gives its URL. Called before the others, unless `account` was given. */
  register(contact: string | undefined, eab: { keyId: string; hmacKey: string } | undefined): Promise<string>
}

const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url')

/** @param account its URL, when it is registered */
export function createAcmeClient(server: AcmeServer, key: string, account?: string | null): AcmeClient {
  const name = new URL(server.directory).host
  const privateKey = createPrivateKey(key)
  const { crv, kty, x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  // In the order that RFC 7638 asks for.
  const jwk = { crv, kty, x, y }
  let kid = account ?? undefined
  let known: Directory | undefined
  let nonce: string | undefined

  async function directory(): Promise<Directory> {
    if (!known) {
      const { status, json } = await ask(server, 'GET', server.directory)
      const found = json as Partial<Directory> | undefined
      if (status !== 200 || !found?.newNonce || !found.newAccount || !found.newOrder)
        throw new KitbagError('service-failed', `${server.directory} is no ACME directory (status ${status})`, {
          retryable: true,
        })
      known = found as Directory
    }
    return known
  }

  async function freshNonce(): Promise<string> {
    const { headers } = await ask(server, 'HEAD', (await directory()).newNonce)
    const fresh = headers['replay-nonce']
    if (typeof fresh === 'string') return fresh
    throw new KitbagError('service-failed', `${name} gives no nonces`, { retryable: true })
  }

  async function signed(url: string, payload: object | undefined): Promise<string> {
    const used = nonce ?? (await freshNonce())
    nonce = undefined
    const head = base64url(JSON.stringify({ alg: 'ES256', nonce: used, url, ...(kid ? { kid } : { jwk }) }))
    const body = payload === undefined ? '' : base64url(JSON.stringify(payload))
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return JSON.stringify({ protected: head, payload: body, signature: base64url(signature) })
  }

  async function post(url: string, payload?: object): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const answer = await ask(server, 'POST', url, await signed(url, payload))
      const { status, headers, json, retryAfter } = answer
      if (typeof headers['replay-nonce'] === 'string') nonce = headers['replay-nonce']
      if (status < 400) return answer
      const refusal = new AcmeRefusal(name, status, (json ?? {}) as Problem, retryAfter)
      if (refusal.type !== 'badNonce' || tries >= mostNonces) throw refusal
    }
  }

  return {
    thumbprint: base64url(createHash('sha256').update(JSON.stringify(jwk)).digest()),
    directory,
    post,
    async register(contact, eab) {
      const { newAccount } = await directory()
      kid = undefined
      const binding = eab && { externalAccountBinding: bind(eab, newAccount, jwk) }
      const payload = { termsOfServiceAgreed: true, ...(contact && { contact: [`mailto:${contact}`] }), ...binding }
      const { headers } = await post(newAccount, payload)
      if (!headers.location) throw new KitbagError('service-failed', `${name} gave no account`, { retryable: true })
      kid = new URL(headers.location, server.directory).href
      return kid
    },
  }
}

/** RFC 8555, 7.3.4: the new key, signed with the one that the authority gave. */
function bind({ keyId, hmacKey }: { keyId: string; hmacKey: string }, url: string, jwk: object): object {
  const head = base64url(JSON.stringify({ alg: 'HS256', kid: keyId, url }))
  const payload = base64url(JSON.stringify(jwk))
  const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${head}.${payload}`).digest()
  return { protected: head, payload, signature: base64url(mac) }
}
