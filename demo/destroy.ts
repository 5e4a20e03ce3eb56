import type { ControlPlane } from './control-plane.ts'
import { kitbag } from './kitbag.ts'

/** The demo's one deployment. */
export const deployment = 'guestbook'

/** Removes the guestbook with its machines and its data. */
export async function destroyGuestbook(plane: ControlPlane): Promise<void> {
  await kitbag(['destroy', deployment, '--yes', '--allow-data-loss', 'db'], { env: plane.env, show: true })
}

/** The same from any state: what is still under way is cancelled first, and nothing may be there at all. */
export async function removeGuestbook({ env, ...plane }: ControlPlane): Promise<void> {
  const operations = (await kitbag(['operations', deployment], { env })) as { id: string; status: string }[]
  for (const { id } of operations.filter(({ status }) => ['queued', 'running', 'cancelling'].includes(status))) {
    // One that ends by itself meanwhile needs no cancelling.
    await kitbag(['cancel', id], { env, show: true }).catch(() => undefined)
  }
  const deployments = (await kitbag(['list'], { env })) as { name: string }[]
  if (deployments.some(({ name }) => name === deployment)) await destroyGuestbook({ env, ...plane })
}
