import { createHash, createPrivateKey } from 'node:crypto'
import { sleep } from '../../../lib/clock.ts'
import type { CertificateOrder, Challenge } from '../../../model/certificate.ts'
import { KitbagError } from '../../../model/errors.ts'
import { generateKey, makeRequest } from '../x509.ts'
import { type AcmeClient, AcmeRefusal, type Problem, wordsOf } from './client.ts'

/** Milliseconds between two looks at what an authority is at, where it does not say. */
const pollInterval = 1_000

/** What an order acts through: rows that survive this process, and the deployment's services. */
export interface OrderPort {
  hosts: string[]
  challenge: Challenge['type']
  /** One that was begun. */
  order: (CertificateOrder & { key: string }) | undefined
  saveOrder(order: (CertificateOrder & { key: string }) | null): Promise<void>
  /** Shows these and no others; returns when the authority can see them. */
  show(challenges: Challenge[]): Promise<void>
  signal: AbortSignal
}

interface Order {
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  authorizations: string[]
  finalize: string
  certificate?: string
  error?: Problem
}

interface Authorization {
  status: string
  identifier: { value: string }
  wildcard?: boolean
  challenges: { type: string; url: string; token: string; status: string; error?: Problem }[]
}

/**
 * Gets a certificate (RFC 8555, 7.4), going on with an order that was begun. What an authority says against it is thrown, in its words; so is the
 * signal's reason.
 */
export async function orderCertificate(client: AcmeClient, port: OrderPort): Promise<{ chain: string; key: string }> {
  const { signal } = port
  const current = port.order && (await isOpen(client, port.order)) ? port.order : await begin(client, port)
  let shown = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const { json, retryAfter } = await client.post(current.url)
      const order = json as Order
      switch (order.status) {
        case 'pending':
          shown = true
          await prove(client, port, order)
          break
        case 'ready':
          await finalize(client, port.hosts, order, current.key)
          break
        case 'processing':
          await sleep(waitOf(retryAfter), signal)
          break
        case 'valid': {
          const { text } = await client.post(order.certificate ?? '')
          if (!text.includes('-----BEGIN CERTIFICATE-----')) throw failed('the authority gave no certificate in PEM')
          return { chain: text, key: current.key }
        }
        default:
          await port.saveOrder(null)
          throw failed(order.error ? wordsOf(order.error) : `its order is ${order.status}`)
      }
    }
  } finally {
    // What is left of it the next order takes away.
    if (shown) await port.show([]).catch(() => undefined)
  }
}

const waitOf = (retryAfter: number | undefined): number => Math.min(Math.max(retryAfter ?? pollInterval, 100), 30_000)

function failed(words: string): KitbagError {
  return new KitbagError('service-failed', words, { retryable: true })
}

/** One that the authority still knows and has not given up. */
async function isOpen(client: AcmeClient, { url }: CertificateOrder): Promise<boolean> {
  try {
    const { json } = await client.post(url)
    return (json as Order).status !== 'invalid'
  } catch (error) {
    if (error instanceof AcmeRefusal && error.type !== 'rateLimited') return false
    throw error
  }
}

async function begin(client: AcmeClient, port: OrderPort): Promise<CertificateOrder & { key: string }> {
  const { newOrder } = await client.directory()
  const identifiers = port.hosts.map((value) => ({ type: 'dns', value }))
  const { headers } = await client.post(newOrder, { identifiers })
  if (!headers.location) throw failed('the authority gave no order')
  const order = { url: headers.location, key: generateKey().pem }
  await port.saveOrder(order)
  return order
}

/** Shows that the hosts are the deployment's, and waits until the authority has looked. */
async function prove(client: AcmeClient, port: OrderPort, { authorizations }: Order): Promise<void> {
  const open: { url: string; answer: string; challenge: Challenge }[] = []
  for (const url of authorizations) {
    const authorization = (await client.post(url)).json as Authorization
    if (authorization.status !== 'pending') continue
    const { value: host } = authorization.identifier
    const found = authorization.challenges.find(({ type }) => type === port.challenge)
    if (!found) {
      const offered = authorization.challenges.map(({ type }) => type).join(', ')
      throw failed(`${host}: the authority does not take ${port.challenge}, but ${offered}`)
    }
    const answer = `${found.token}.${client.thumbprint}`
    const value = port.challenge === 'dns-01' ? createHash('sha256').update(answer).digest('base64url') : answer
    open.push({ url, answer: found.url, challenge: { type: port.challenge, host, token: found.token, value } })
  }
  if (open.length > 0) await port.show(open.map(({ challenge }) => challenge))
  for (const { answer } of open) await client.post(answer, {})
  for (const { url } of open) await untilProved(client, port, url)
}

async function untilProved(client: AcmeClient, { signal, saveOrder }: OrderPort, url: string): Promise<void> {
  for (;;) {
    const { json, retryAfter } = await client.post(url)
    const { status, identifier, challenges } = json as Authorization
    if (status === 'valid') return
    if (status !== 'pending') {
      await saveOrder(null)
      const why = challenges.flatMap(({ error }) => (error ? [wordsOf(error)] : [])).join('; ')
      throw failed(`${identifier.value}: ${why || `its authorization is ${status}`}`)
    }
    await sleep(waitOf(retryAfter), signal)
  }
}

async function finalize(client: AcmeClient, hosts: string[], { finalize: url }: Order, key: string): Promise<void> {
  const csr = makeRequest(hosts, createPrivateKey(key)).toString('base64url')
  try {
    await client.post(url, { csr })
  } catch (error) {
    // Another try did it just before.
    if (!(error instanceof AcmeRefusal) || error.type !== 'orderNotReady') throw error
  }
}
