import { isIPv4 } from 'node:net'
import { sleep } from '../../lib/clock.ts'
import { sh } from '../../lib/sh.ts'
import { KitbagError } from '../../model/errors.ts'
import { insideAddress, type MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import type { ControlContext, ToolkitControl } from '../contract.ts'
import type { LoadBalancerSpec } from './schema.ts'

type Control = ToolkitControl<LoadBalancerSpec>

/** Milliseconds: what a stopping keepalived lets requests have, and some more. */
const handOverTime = 30_000

/** Milliseconds until somebody has the address: a first one waits for three announcements of others, then asks HAProxy. */
const claimTime = 15_000
const pollMs = 100

/** Waits until somebody has the floating address, seen from the node. Throws `service-failed` when nobody takes it. */
export async function untilShared(
  { reach, spec, signal }: ControlContext<LoadBalancerSpec>,
  node: MachineAccess,
  parameters: Record<string, unknown>,
): Promise<void> {
  const [address = ''] = (parameters.addresses ?? []) as string[]
  const [listener] = spec.listeners
  if (!spec.floatingAddress || !listener) return
  for (const deadline = Date.now() + claimTime; ; await sleep(pollMs, signal)) {
    const socket = await reach.connectTcp(node, address, listener.port).catch(() => undefined)
    socket?.destroy()
    if (socket) return
    if (Date.now() > deadline) break
  }
  const { stdout } = await reach.exec(node, 'systemctl is-active keepalived', { timeout: 10_000 })
  throw new KitbagError(
    'service-failed',
    `no load balancer takes the floating address ${address}; keepalived on ${node.name} is ${stdout.trim()}`,
    { machine: node.name, fix: 'Its log says why: kitbag logs.' },
  )
}

/** Succeeds on the node that has the address. */
const holds = `ip -o address show scope global to "$(sed -n 's/^shared //p' /etc/keepalived/kitbag.facts)" | grep -q .`

/**
 * Stopping keepalived hands the address over when the requests under way have ended: see the recipe's hand-over. Of several that go, first
 * those stop that do not have it, so that it comes to one that stays; new connections go there from the beginning.
 */
export const retire: NonNullable<Control['retire']> = async ({ reach, spec, machines }, node, { going }) => {
  if (!spec.floatingAddress) return
  const hasIt = async (machine: MachineAccess) => (await reach.exec(machine, holds, { timeout: 10_000 })).status === 0
  if (!(await hasIt(node))) return stop(reach, node)
  const others = machines.filter(({ name }) => going.has(name) && name !== node.name)
  const waiting = others.map(async (other) => {
    if (!(await hasIt(other))) await stop(reach, other)
  })
  // One that does not answer has nothing to hand over, and its own end tells why.
  await Promise.allSettled(waiting)
  const staying = machines.filter(({ name }) => !going.has(name) && name !== node.name)
  await stop(reach, node, await prepareTaker(reach, staying))
}

async function stop(reach: Reach, node: MachineAccess, taker?: MachineAccess): Promise<void> {
  const told = taker ? sh`echo ${insideAddress(taker)} >/run/kitbag-taker && ` : sh``
  const { status, stderr } = await reach.exec(node, sh`${told}systemctl stop keepalived`, {
    root: true,
    timeout: handOverTime,
  })
  if (status === 0) return
  throw new KitbagError('service-failed', `keepalived on ${node.name} does not stop: ${stderr.trim()}`, {
    machine: node.name,
  })
}

/**
 * Settles who will have the address, and makes that machine take what its holder passes on: of those that stay the one with the lowest
 * number, whose priority is the highest. The others stand back. undefined: it cannot be settled, so new clients have to wait.
 */
async function prepareTaker(reach: Reach, staying: MachineAccess[]): Promise<MachineAccess | undefined> {
  const number = ({ name }: MachineAccess) => Number(/\d+$/.exec(name)?.[0])
  const [taker, ...others] = [...staying].sort((a, b) => number(a) - number(b))
  if (!taker || !isIPv4(insideAddress(taker))) return undefined
  const succeeds = async (machine: MachineAccess, command: string) => {
    const attempt = reach.exec(machine, `/usr/local/lib/kitbag/${command}`, { root: true, timeout: 10_000 })
    return (await attempt.catch(() => ({ status: 1 }))).status === 0
  }
  const settled = await Promise.all([
    succeeds(taker, 'accept-address'),
    ...others.map((other) => succeeds(other, 'stand-back')),
  ])
  return settled.every(Boolean) ? taker : undefined
}
