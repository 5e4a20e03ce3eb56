import type { JsonObject } from '../model/json.ts'
import type { MachineAccess, MachineRecord } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import type { WatchDecision } from '../model/watch.ts'

/** Milliseconds between two looks; how long a node that is back stays behind. */
export const levelInterval = 5_000

/** Milliseconds for a sign of life. */
const patience = 3_000

/** Milliseconds from one push to the next: one that answers and still cannot be changed is not asked all the time. */
const pause = 60_000

/** What a look of a service's watch is told, as far as it matters here. */
interface Look {
  service: string
  /** Every machine of the deployment. */
  rows: MachineRecord[]
  /** The service's own. */
  machines: MachineAccess[]
  /** What the last look kept: nodes that were `behind`, as a text, and when they were `pushed` to. */
  state: JsonObject
  operation: object | null
  now: number
  reach: Reach
  signal: AbortSignal
}

interface Outcome {
  state: JsonObject
  decisions?: WatchDecision[]
  operation?: { kind: 'push'; request: { service: string }; key: string }
}

/**
 * One look at a service's nodes: those that a change could not reach are brought level, by a push, when they answer again. A change under
 * way looks the same for a moment, so a node counts as behind when two looks find it so. Returns what the watch keeps and does.
 */
export async function levelNodes(look: Look): Promise<Outcome | undefined> {
  const { service, operation, now, state } = look
  if (operation) return
  const nodes = nodesBehind(look)
  const behind = nodes.map(({ name }) => name).join(' ')
  if (behind !== (state.behind ?? '')) return { state: { ...state, behind } }
  if (behind === '' || now - Number(state.pushed ?? 0) < pause) return
  const alive = await Promise.all(nodes.map((node) => isAlive(look, node)))
  const back = nodes.flatMap(({ name }, i) => (alive[i] ? [name] : []))
  if (back.length === 0) return
  const message = `${back.join(', ')} can be reached again: what it missed is brought to it`
  return {
    state: { behind: '', pushed: now },
    decisions: [{ level: 'info', message, data: { nodes: back } }],
    operation: { kind: 'push', request: { service }, key: `level ${now}` },
  }
}

/** Running nodes whose last change was not finished. */
function nodesBehind({ service, rows, machines }: Look): MachineAccess[] {
  const names = rows
    .filter(
      ({ component, status, releaseNumber }) => component === service && status === 'ready' && releaseNumber !== null,
    )
    .flatMap(({ name, configureDigest }) => (configureDigest === null ? [name] : []))
  return machines.filter(({ name }) => names.includes(name))
}

async function isAlive({ reach, signal }: Look, node: MachineAccess): Promise<boolean> {
  try {
    await reach.exec(node, 'true', { timeout: patience, signal })
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}
