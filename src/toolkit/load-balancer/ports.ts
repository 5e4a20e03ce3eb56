import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext } from '../contract.ts'
import type { Configured } from './configuration.ts'
import { peersPort } from './peers-text.ts'

/**
 * Refuses a listener whose port another program of the machine has. A new process that cannot bind a port first makes the running one
 * pause all its listeners for 2 s (seen with HAProxy 2.6 and 3.0): so it must not come to that.
 */
export async function refuseTakenPorts(
  { reach }: Pick<ControlContext<unknown>, 'reach'>,
  node: MachineAccess,
  { listeners, nodes }: Pick<Configured, 'listeners' | 'nodes'>,
): Promise<void> {
  const ports = listeners.map(({ port }) => port)
  if (nodes.length > 0) ports.push(peersPort)
  const { stdout } = await reach.exec(node, 'ss -H -l -t -n -p', { root: true, timeout: 5000 })
  for (const line of stdout.split('\n')) {
    const found = /:(\d+)\s+\S+\s+users:\(\("([^"]+)"/.exec(line)
    const port = ports.find((one) => String(one) === found?.[1])
    if (port === undefined || !found || found[2] === 'haproxy') continue
    throw new KitbagError(
      'service-failed',
      `port ${port} of ${node.name}, which a listener wants, is taken by ${found[2]}`,
      { machine: node.name, fix: 'Choose another port, or stop that program.' },
    )
  }
}
