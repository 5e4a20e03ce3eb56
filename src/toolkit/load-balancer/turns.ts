import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'

/** Questions to one node at the same time from this process. HAProxy serves 100, then the socket's queue is full and SSH says no. */
const atOnce = 10

interface Turns {
  running: number
  waiting: (() => void)[]
}

const turnsOf = new WeakMap<Reach, Map<string, Turns>>()

/** Does the work when fewer than `atOnce` others are at work with the node; in order. */
export async function inTurn<T>(reach: Reach, node: MachineAccess, work: () => Promise<T>): Promise<T> {
  const nodes = turnsOf.get(reach) ?? new Map<string, Turns>()
  turnsOf.set(reach, nodes)
  const turns = nodes.get(node.id) ?? { running: 0, waiting: [] }
  nodes.set(node.id, turns)
  if (turns.running < atOnce) turns.running++
  else await new Promise<void>((resolve) => turns.waiting.push(resolve))
  try {
    return await work()
  } finally {
    const next = turns.waiting.shift()
    if (next) next()
    else if (--turns.running === 0) nodes.delete(node.id)
  }
}
