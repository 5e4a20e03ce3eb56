import { createHmac } from 'node:crypto'
import { KitbagError } from '../../model/errors.ts'
import type { MonitoringSpec } from './schema.ts'

/** Where the program that signs listens. */
const signerUrl = 'http://127.0.0.1:9095'

/** A webhook with its secrets, once their references are resolved. */
export interface Webhook {
  url: string
  secret: string
  token?: string
}

/** Where Alertmanager posts, and what it shows there. */
export interface Door {
  url: string
  token?: unknown
}

/** Receivers whose notifications are signed: name -> webhook. */
export function signedWebhooks(notify: MonitoringSpec['notify']) {
  return Object.fromEntries(
    Object.entries(notify).flatMap(([name, { webhook }]) => (webhook?.secret === undefined ? [] : [[name, webhook]])),
  )
}

/** The way of a receiver's notifications to what signs them; undefined: they go straight there. */
export function toSigner(name: string, { webhook }: MonitoringSpec['notify'][string] = {}): Door | undefined {
  if (webhook?.secret === undefined) return undefined
  return { url: `${signerUrl}/${name}`, token: keyOf(String(webhook.secret)) }
}

/** What Alertmanager shows to have something signed; whoever knows it cannot make signatures of it. */
function keyOf(secret: string): string {
  return createHmac('sha256', secret).update('kitbag alertmanager').digest('hex')
}

/**
 * The file that tells the program where each receiver's notifications go, and what of it nothing may show. Throws `invalid-request` for
 * a URL or a token that cannot be used; their values may be secrets, so it does not say them.
 */
export function signerFile(webhooks: Record<string, Webhook>): { configuration: string; secrets: string[] } {
  const receivers = Object.entries(webhooks).map(([name, { url, secret, token }]) => {
    const target = urlOf(name, url)
    const { username, password } = target
    target.username = ''
    target.password = ''
    const basic = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
    const authorization = token === undefined ? username && basic : `Bearer ${headerText(name, token)}`
    return [
      name,
      { url: target.href, headers: { ...(authorization && { authorization }) }, secret, key: keyOf(secret) },
    ] as const
  })
  return {
    configuration: `${JSON.stringify(Object.fromEntries(receivers), null, 1)}\n`,
    secrets: receivers.map(([, { key }]) => key),
  }
}

function urlOf(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw unusable(name, 'url', 'is no URL such as https://ops.example/alerts')
}

function headerText(name: string, token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw unusable(name, 'token', 'holds a character that no header can hold (a space, a line break, an umlaut)')
}

function unusable(name: string, field: 'url' | 'token', why: string): KitbagError {
  const path = `notify.${name}.webhook.${field}`
  return new KitbagError('invalid-request', `${path}: the secret ${why}`, {
    problems: [{ path, message: why }],
    fix: 'Set the secret anew (kitbag secret set), then deploy again.',
  })
}
