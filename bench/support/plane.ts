import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ControlPlane, startControlPlane } from '../../demo/control-plane.ts'
import { blueprint } from '../../demo/guestbook.ts'
import { residueAtClouds, residueOnBox } from '../../demo/residue.ts'
import { type Client, createClient } from '../../src/api/client.ts'
import type { Bench } from './bench.ts'
import type { Cleanup } from './cleanup.ts'
import { benchFolder } from './folder.ts'
import { runCli } from './run-cli.ts'

/** A control plane on a home of its own. */
export interface Plane extends ControlPlane {
  home: string
  /** Of `kitbag up` itself; its children are below it. */
  pid: number
  client: Client
  /** Runs the CLI as a user would; its JSON answer. */
  kitbag(args: string[]): Promise<unknown>
}

export interface Operation {
  id: string
  status: string
  error: { message: string } | null
}

/** A fresh home, which goes with the cleanup. */
export function freshHome(cleanup: Cleanup): string {
  const home = mkdtempSync(`${benchFolder()}/home-`)
  cleanup.add(home, () => rmSync(home, { recursive: true, force: true }))
  return home
}

/** Starts `kitbag up`; the cleanup destroys its deployments, stops it, and says what it left on the box. */
export async function startPlane(cleanup: Cleanup, home = freshHome(cleanup)): Promise<Plane> {
  cleanup.add('residue', async () => {
    const left = await residueOnBox(home)
    if (left.length > 0) throw new Error(`left on the box: ${left.join(', ')}`)
  })
  const started = await startControlPlane(home)
  cleanup.add('control plane', () => started.stop())
  const client = createClient(started)
  const { pid } = JSON.parse(readFileSync(join(home, 'control-plane.json'), 'utf8')) as { pid: number }
  const plane = { ...started, home, pid, client, kitbag: (args: string[]) => runCli(args, started.env) }
  cleanup.add('deployments', async () => {
    const deployments = await client.all<{ name: string }>('/v1/deployments')
    await Promise.all(deployments.map(({ name }) => destroy(plane, name)))
    const left = await residueAtClouds(started)
    if (left.length > 0) throw new Error(`left at the clouds: ${left.join(', ')}`)
  })
  return plane
}

/** Submits an operation of a deployment and waits for its end. Throws with its error unless it succeeded. */
export async function operate(plane: Plane, deployment: string, body: Record<string, unknown>): Promise<Operation> {
  const { id } = await plane.client.json<Operation>('POST', `/v1/deployments/${deployment}/operations`, body)
  return ended(plane, id)
}

export async function ended({ client }: Plane, id: string): Promise<Operation> {
  for (;;) {
    const operation = await client.json<Operation>('GET', `/v1/operations/${id}?wait=60s`)
    if (operation.status === 'succeeded') return operation
    if (['failed', 'cancelled'].includes(operation.status))
      throw new Error(operation.error?.message ?? operation.status)
  }
}

/** Removes a deployment with its machines and data. */
export async function destroy(plane: Plane, deployment: string): Promise<void> {
  await operate(plane, deployment, { kind: 'destroy', allowDataLoss: ['db'] })
}

/** Deploys examples/guestbook on the shared control plane; it goes with the family. */
export async function deployGuestbook(bench: Bench, name: string): Promise<{ plane: Plane; url: string }> {
  const plane = await bench.plane()
  bench.cleanup.add(name, () => destroy(plane, name))
  await plane.kitbag(['deploy', blueprint, '--name', name, '--cloud', 'home'])
  const { url } = (await plane.kitbag(['show', name])) as { url: string }
  return { plane, url }
}
