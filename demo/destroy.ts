import type { ControlPlane } from './control-plane.ts'
import { kitbag } from './kitbag.ts'

/** The demo's deployments: the first is the one that stays up in a terminal. */
export const deployment = 'guestbook'
export const toolkitDeployment = 'shop'

/** Removes a deployment with its machines and its data. */
export async function destroy({ env }: ControlPlane, name: string): Promise<void> {
  await kitbag(['destroy', name, '--yes', '--allow-data-loss', 'db'], { env, show: true })
}

/** The same of all there are, from any state: what is still under way is cancelled first. */
export async function removeAll(plane: ControlPlane): Promise<void> {
  const { env } = plane
  const deployments = (await kitbag(['list'], { env })) as { name: string }[]
  for (const { name } of deployments) {
    const operations = (await kitbag(['operations', name], { env })) as { id: string; status: string }[]
    for (const { id } of operations.filter(({ status }) => ['queued', 'running', 'cancelling'].includes(status))) {
      // One that ends by itself meanwhile needs no cancelling.
      await kitbag(['cancel', id], { env, show: true }).catch(() => undefined)
    }
  }
  // A first deploy that was cancelled has taken its deployment with it.
  const left = (await kitbag(['list'], { env })) as { name: string }[]
  for (const { name } of left) await destroy(plane, name)
}
