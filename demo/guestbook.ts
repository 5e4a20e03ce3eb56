import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './paths.ts'

export const blueprint = join(root, 'examples/guestbook/blueprint.yaml')

/** A copy of the guestbook with one line of its application changed: the release that the demo updates to. */
export function changedGuestbook(release: string): { blueprint: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'kitbag-demo-'))
  cpSync(join(root, 'examples/guestbook'), folder, { recursive: true })
  const file = join(folder, 'app/release.js')
  writeFileSync(file, readFileSync(file, 'utf8').replace('guestbook-1', release))
  return { blueprint: join(folder, 'blueprint.yaml'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${(await response.text()).slice(0, 200)}`)
  return response
}

/** Names of the machines that answered `count` requests through the load balancer. */
export async function machinesThatAnswer(url: string, count = 20): Promise<string[]> {
  const names = new Set<string>()
  for (let i = 0; i < count; i++) {
    const response = await get(`${url}/ping`)
    await response.arrayBuffer()
    names.add(response.headers.get('x-served-by') ?? 'unknown')
  }
  return [...names].sort()
}

/** Writes an entry that nobody else writes; returns a function that tells whether it can still be read. */
export async function sign(url: string): Promise<() => Promise<boolean>> {
  const message = `kitbag was here: ${randomBytes(8).toString('hex')} <b>"quoted"</b> 🧰`
  const response = await fetch(`${url}/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'demo', message }),
    signal: AbortSignal.timeout(10_000),
  })
  if (response.status !== 201)
    throw new Error(`POST ${url}/entries answered ${response.status}: ${await response.text()}`)
  return async () => {
    const entries = (await (await get(`${url}/entries`)).json()) as { message: string }[]
    return entries.some((entry) => entry.message === message)
  }
}
