import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, ToolkitControl } from '../contract.ts'
import type { LoadBalancerSpec } from './schema.ts'

type Control = ToolkitControl<LoadBalancerSpec>

/** Milliseconds: what a stopping keepalived lets requests have, and some more. */
const handOverTime = 30_000

/** Throws `service-failed` when the node does not take part in who has the floating address. */
export async function requireKeepalived(
  { reach, spec }: ControlContext<LoadBalancerSpec>,
  node: MachineAccess,
): Promise<void> {
  if (!spec.floatingAddress) return
  const { stdout } = await reach.exec(node, 'systemctl is-active keepalived', { timeout: 10_000 })
  if (stdout.trim() === 'active') return
  throw new KitbagError('service-failed', `keepalived on ${node.name} is ${stdout.trim()}`, {
    machine: node.name,
    fix: 'Its log says why: kitbag logs.',
  })
}

/** Succeeds on the node that has the address. */
const holds = `ip -o address show to "$(sed -n 's/^shared //p' /etc/keepalived/kitbag.facts)" | grep -q .`

/**
 * Stopping keepalived hands the address over when the requests under way have ended: see the recipe's hand-over. Of several that go, first
 * those stop that do not have it, so that it comes to one that stays.
 */
export const retire: NonNullable<Control['retire']> = async ({ reach, spec, machines }, node, { going }) => {
  if (!spec.floatingAddress) return
  const stop = async (one: MachineAccess) => {
    const { status, stderr } = await reach.exec(one, 'systemctl stop keepalived', { root: true, timeout: handOverTime })
    if (status === 0) return
    throw new KitbagError('service-failed', `keepalived on ${one.name} does not stop: ${stderr.trim()}`, {
      machine: one.name,
    })
  }
  const others = machines.filter(({ name }) => going.has(name) && name !== node.name)
  const waiting = others.map(async (other) => {
    const { status } = await reach.exec(other, holds, { timeout: 10_000 })
    if (status !== 0) await stop(other)
  })
  // One that does not answer has nothing to hand over, and its own end tells why.
  await Promise.allSettled(waiting)
  await stop(node)
}
