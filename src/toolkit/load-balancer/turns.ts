import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'

interface Turns {
  running: number
  waiting: (() => void)[]
}

/** Lets at most `atOnce` pieces of this process's work with one node go on at the same time; the others follow in order. */
export function createTurns(
  atOnce: number,
): <T>(reach: Reach, node: MachineAccess, work: () => Promise<T>) => Promise<T> {
  const turnsOf = new WeakMap<Reach, Map<string, Turns>>()

  return async (reach, node, work) => {
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
}
