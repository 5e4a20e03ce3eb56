import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, ToolkitControl } from '../contract.ts'
import { type ConfiguredListener, configured, structureDigest } from './configuration.ts'
import { type NodeState, nodeState } from './node-state.ts'
import { refuseTakenPorts } from './ports.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { addServers, applyOverrides, changeServers, serverDifferences } from './servers.ts'

type Context = ControlContext<LoadBalancerSpec>
type Control = ToolkitControl<LoadBalancerSpec>

const pollMs = 50

/** Milliseconds that a reload may take: HAProxy itself tries for 2 s to bind a port. */
const reloadTime = 6000

/** Whether what is asked takes a new process: another structure, or other servers where a cookie names them. */
function needsReload(state: NodeState, listeners: ConfiguredListener[]): boolean {
  if (state.structure !== structureDigest(listeners)) return true
  const { missing, surplus } = serverDifferences(
    state,
    listeners.filter(({ cookie }) => cookie !== null),
  )
  return missing.length + surplus.length > 0
}

/** Whether it is HAProxy that says no, or that says nothing. */
function isRefusal(error: unknown): error is KitbagError {
  return error instanceof KitbagError && error.code === 'service-failed'
}

/**
 * Adds, removes and changes servers of the running process. What that cannot do (a new listener, another timeout, a server with a
 * cookie) is left to the seamless reload that the file's notification asks for: then nothing is suppressed, and the new process takes
 * states and health over from this one.
 */
export const beforeConfigure: Control['beforeConfigure'] = async (context, node, parameters) => {
  const { listeners, overrides } = configured(parameters)
  const state = await nodeState(context.reach, node).catch((error) => {
    if (isRefusal(error)) return undefined
    throw error
  })
  if (!state) return []
  const reload = needsReload(state, listeners)
  if (reload) await refuseTakenPorts(context, node, listeners)
  try {
    if (reload) await addServers(context, node, state, listeners)
    else await changeServers(context, node, state, listeners)
    await applyOverrides(context, node, await nodeState(context.reach, node), overrides)
  } catch (error) {
    // The reload does all of it; what failed here is not lost.
    if (isRefusal(error)) return []
    throw error
  }
  return reload ? [] : ['reload:haproxy']
}

/**
 * Waits until the node's process has the structure and the servers of its files and listens. systemd calls a reload done before the new
 * process has even read its configuration, and when that process fails the old one goes on: so the process itself is asked, and told once
 * more to reload when it is not the right one.
 */
export const afterConfigure: Control['afterConfigure'] = async (context, node, parameters) => {
  const { listeners, overrides } = configured(parameters)
  for (const last of [false, true]) {
    const state = await settled(context, node, listeners)
    if (typeof state !== 'string') return applyOverrides(context, node, state, overrides)
    if (last) throw await notInForce(context, node, state)
    await context.reach.exec(node, 'systemctl reload-or-restart haproxy', { root: true, timeout: 30_000 })
  }
}

/** The node's state once it is as its files say; after `reloadTime` what is missing. */
async function settled(
  { reach, signal }: Context,
  node: MachineAccess,
  listeners: ConfiguredListener[],
): Promise<NodeState | string> {
  for (const deadline = Date.now() + reloadTime; ; await sleep(pollMs, signal)) {
    const state = await nodeState(reach, node).catch((error) => {
      if (isRefusal(error)) return error.message
      throw error
    })
    const missing = typeof state === 'string' ? state : missingIn(state, listeners)
    if (typeof state !== 'string' && missing === undefined) return state
    if (Date.now() > deadline) return missing ?? ''
  }
}

function missingIn(state: NodeState, listeners: ConfiguredListener[]): string | undefined {
  if (state.structure !== structureDigest(listeners)) return 'its process runs with another configuration'
  const closed = listeners.find(({ backend }) => state.frontends.get(backend) !== 'OPEN')
  if (closed) return `it does not listen on port ${closed.port} (${closed.backend})`
  const { missing, surplus } = serverDifferences(state, listeners)
  const names = [
    ...missing.map(({ server }) => `lacks ${server.name}`),
    ...surplus.map(({ server }) => `has ${server}`),
  ]
  return names.length > 0 ? `its process ${names.join(', ')}` : undefined
}

async function notInForce({ reach }: Context, node: MachineAccess, what: string): Promise<KitbagError> {
  const command = 'journalctl --quiet --no-pager --output=cat --unit=haproxy --since=-30s --lines=200'
  const { stdout } = await reach.exec(node, command, { root: true, timeout: 5000 })
  const said = stdout.split('\n').filter((line) => /\[(ALERT|EMERG)\]|rror/.test(line))
  const why = said.find((line) => line.includes('[ALERT]'))?.replace(/^\[ALERT\]\s*\(\d+\) : /, '')
  return new KitbagError(
    'service-failed',
    `HAProxy on ${node.name} did not take its new configuration${why ? `: ${why}` : ''}; ${what}`,
    {
      machine: node.name,
      output: [...new Set(said)].slice(-20).join('\n'),
      fix: 'Mend what it names, then deploy again.',
    },
  )
}
