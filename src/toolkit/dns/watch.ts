import type { MachineAccess } from '../../model/machine.ts'
import type { ToolkitWatch, WatchContext } from '../contract.ts'
import type { DnsSpec } from './schema.ts'

/** Milliseconds between two looks; how long a node that is back stays behind. */
const interval = 5_000

/** Milliseconds for a sign of life. */
const patience = 3_000

/** What a look keeps: nodes that were behind, as a text. */
interface State {
  behind?: string
}

/**
 * Nodes that a change could not reach are brought level when they answer again. A change under way looks the same for a moment, so a node
 * counts as behind when two looks find it so.
 */
export const watch: ToolkitWatch<DnsSpec> = {
  interval: () => interval,
  overrides: false,
  async look(context) {
    const { service, operation, now } = context
    if (operation) return
    const nodes = nodesBehind(context)
    const behind = nodes.map(({ name }) => name).join(' ')
    const before = (context.state as State).behind ?? ''
    if (behind !== before) return { state: { behind } }
    if (behind === '') return
    const alive = await Promise.all(nodes.map((node) => isAlive(context, node)))
    const back = nodes.flatMap(({ name }, i) => (alive[i] ? [name] : []))
    if (back.length === 0) return
    const message = `${back.join(', ')} can be reached again: what it missed is brought to it`
    return {
      state: { behind: '' },
      decisions: [{ level: 'info', message, data: { nodes: back } }],
      operation: { kind: 'push', request: { service }, key: `level ${now}` },
    }
  },
}

/** Running nodes whose last change was not finished. */
function nodesBehind({ service, rows, machines }: WatchContext<DnsSpec>): MachineAccess[] {
  const names = rows
    .filter(
      ({ component, status, releaseNumber }) => component === service && status === 'ready' && releaseNumber !== null,
    )
    .flatMap(({ name, configureDigest }) => (configureDigest === null ? [name] : []))
  return machines.filter(({ name }) => names.includes(name))
}

async function isAlive({ reach, signal }: WatchContext<DnsSpec>, node: MachineAccess): Promise<boolean> {
  try {
    await reach.exec(node, 'true', { timeout: patience, signal })
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}
