import { randomBytes } from 'node:crypto'
import { ArmError, type Json } from './arm-error.ts'

export interface Account {
  tenant: string
  client: string
  secret: string
}

/** The directory: gives tokens to the account, and knows those that it gave. */
export class Login {
  readonly account: Account
  readonly #tokens = new Set<string>()
  readonly #secrets = new Set<string>()
  /** Tokens ever given, for looking for them elsewhere. */
  readonly given: string[] = []
  /** What was sent for tokens, oldest first. */
  readonly forms: URLSearchParams[] = []
  /** Seconds that a token says it is good for. */
  lifetime = 3_600

  constructor(account: Account) {
    this.account = account
    this.#secrets.add(account.secret)
  }

  /** Every token given so far is refused from now on. */
  expire(): void {
    this.#tokens.clear()
  }

  /** One more secret of the same account. */
  addSecret(): string {
    const secret = randomBytes(12).toString('base64url')
    this.#secrets.add(secret)
    return secret
  }

  configuration(origin: string, tenant: string): Json {
    const base = `${origin}/${tenant}`
    return {
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    }
  }

  /** A token without asking who wants it: as another authority of the directory's would. */
  give(): string {
    const token = randomBytes(24).toString('base64url')
    this.#tokens.add(token)
    this.given.push(token)
    return token
  }

  token(tenant: string, form: URLSearchParams, origin: string): { status: number; body: Json } {
    const { account } = this
    this.forms.push(form)
    const proven = this.#secrets.has(form.get('client_secret') ?? '') || form.has('client_assertion')
    if (tenant !== account.tenant || form.get('client_id') !== account.client || !proven) {
      const error_description =
        'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is not expired.'
      return { status: 401, body: { error: 'invalid_client', error_description } }
    }
    if (form.get('scope')?.split(' ')[0] !== `${origin}/.default`)
      return { status: 400, body: { error: 'invalid_scope', error_description: `AADSTS70011: ${form.get('scope')}` } }
    const access_token = this.give()
    const times = { expires_in: this.lifetime, ext_expires_in: this.lifetime }
    return { status: 200, body: { token_type: 'Bearer', ...times, access_token } }
  }

  check(authorization: string | undefined): void {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
    if (token !== undefined && this.#tokens.has(token)) return
    const challenge = { 'www-authenticate': 'Bearer authorization_uri="https://login", error="invalid_token"' }
    throw new ArmError(
      401,
      'ExpiredAuthenticationToken',
      'The access token expiry UTC time is earlier than current UTC time.',
      challenge,
    )
  }
}
