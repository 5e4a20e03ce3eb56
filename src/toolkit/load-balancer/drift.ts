import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, ToolkitControl } from '../contract.ts'
import { staleCertificates } from './certificates.ts'
import { type Configured, configured, maintenanceEntries, maintenanceMap, overrideKey } from './configuration.ts'
import { mapLines } from './maps.ts'
import { type NodeState, nodeState } from './node-state.ts'
import { isRefusal } from './runtime-socket.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { overrideLines, serverDifferences } from './servers.ts'
import { frontendName } from './targets.ts'

type Context = ControlContext<LoadBalancerSpec>

/** What the node's process does otherwise than its configuration says. */
export const drift: NonNullable<ToolkitControl<LoadBalancerSpec>['drift']> = async (context, node, parameters) => {
  const wanted = configured(parameters)
  try {
    const state = await nodeState(context.reach, node)
    const changes = [...missingIn(state, wanted), ...(await contentsMissing(context, node, state, wanted))]
    return changes.length > 0 ? [{ resource: 'process:haproxy', changes }] : []
  } catch (error) {
    if (!isRefusal(error)) throw error
    return [{ resource: 'process:haproxy', changes: [error.message] }]
  }
}

/** What takes another process or other servers to be in force; the first is the gravest. */
export function missingIn(
  state: NodeState,
  { structure, listeners, backends }: Pick<Configured, 'structure' | 'listeners' | 'backends'>,
): string[] {
  if (state.structure !== structure) return ['its process runs with another configuration']
  const closed = listeners.filter(({ port }) => state.frontends.get(frontendName(port)) !== 'OPEN')
  const { missing, surplus } = serverDifferences(state, backends)
  const names = [
    ...missing.map(({ server }) => `lacks ${server.name}`),
    ...surplus.map(({ server }) => `has ${server}`),
  ]
  return [
    ...closed.map(({ port }) => `it does not listen on port ${port}`),
    ...(names.length > 0 ? [`its process ${names.join(', ')}`] : []),
  ]
}

/** Certificates, pages, weights and states that its process has otherwise. */
async function contentsMissing(
  { reach, unsettled }: Context,
  node: MachineAccess,
  state: NodeState,
  wanted: Configured,
): Promise<string[]> {
  const certificates = await staleCertificates(reach, node, wanted.certificates)
  const maintenance = await mapLines(reach, node, maintenanceMap, maintenanceEntries(wanted))
  return [
    ...certificates.map(({ name }) => `it shows another certificate ${name}`),
    ...(maintenance.length > 0 ? ['other backends are in maintenance'] : []),
    ...overrideLines(unsettled, state, wanted.overrides).flatMap(
      ({ row: { backend, server, state: mode, weight } }) => {
        // A process that was started with a drain knows it as weight 0 only.
        const drained = wanted.overrides[overrideKey(backend, server)]?.state === 'drain' && weight === 0
        return drained ? [] : [`${backend}/${server} is ${mode} with weight ${weight}, which nobody asked for`]
      },
    ),
  ]
}
