import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { type ConfiguredServer, sameServer } from './configuration.ts'
import { type NodeState, splitAddress } from './node-state.ts'

/** What a node's configuration says of its structure and servers, read from the file that the recipe wrote. */
interface Written {
  structure: string
  servers: (ConfiguredServer & { backend: string })[]
}

/** The parts of haproxy.cfg that tell one configuration from another. */
const parts = "grep -E '^ *(description kitbag|backend|server) ' /etc/haproxy/haproxy.cfg"

async function written(reach: Reach, node: MachineAccess): Promise<Written> {
  const { stdout } = await reach.exec(node, parts, { root: true, timeout: 5000 })
  const found: Written = { structure: '', servers: [] }
  let backend = ''
  for (const [word, name = '', rest = ''] of stdout.split('\n').map((line) => line.trim().split(' '))) {
    if (word === 'description') found.structure = rest
    if (word === 'backend') backend = name
    if (word !== 'server') continue
    const [address, port] = splitAddress(rest)
    found.servers.push({ backend, name, address, port })
  }
  return found
}

/**
 * Whether a node's process runs with another configuration than its file holds: a reload that was lost, a file that was changed by hand. A
 * change under way looks the same for a moment. Throws what `reach` does.
 */
export async function isOutdated(
  reach: Reach,
  node: MachineAccess,
  { structure, servers }: Pick<NodeState, 'structure' | 'servers'>,
): Promise<boolean> {
  const file = await written(reach, node)
  const running = servers.filter(({ server }) => server !== 'BACKEND')
  return (
    file.structure !== structure ||
    file.servers.length !== running.length ||
    file.servers.some(
      (one) => !running.some((row) => row.backend === one.backend && sameServer({ ...row, name: row.server }, one)),
    )
  )
}
