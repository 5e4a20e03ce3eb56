import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, ToolkitControl } from '../contract.ts'
import { changeCertificates } from './certificates.ts'
import { type Configured, configured, isFixed, maintenanceEntries, maintenanceMap } from './configuration.ts'
import { missingIn } from './drift.ts'
import { untilShared } from './hand-over.ts'
import { changeMap } from './maps.ts'
import { type NodeState, nodeState } from './node-state.ts'
import { refuseTakenPorts } from './ports.ts'
import { isRefusal } from './runtime-socket.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { addServers, applyOverrides, changeServers, serverDifferences } from './servers.ts'

type Context = ControlContext<LoadBalancerSpec>
type Control = ToolkitControl<LoadBalancerSpec>

const pollMs = 50

/** Milliseconds that a reload may take: HAProxy itself tries for 2 s to bind a port. */
const reloadTime = 6000

/** Whether what is asked takes a new process: another structure, or other servers where those are fixed. */
function needsReload(state: NodeState, { structure, backends }: Configured): boolean {
  if (state.structure !== structure) return true
  const { missing, surplus } = serverDifferences(state, backends.filter(isFixed))
  return missing.length + surplus.length > 0
}

/**
 * Adds, removes and changes servers of the running process. What that cannot do (a new listener, another timeout, a server with a
 * cookie) is left to the seamless reload that the file's notification asks for: then nothing is suppressed, and the new process takes
 * states and health over from this one.
 */
export const beforeConfigure: Control['beforeConfigure'] = async (context, node, parameters) => {
  const wanted = configured(parameters)
  const state = await nodeState(context.reach, node).catch((error) => {
    if (isRefusal(error)) return undefined
    throw error
  })
  if (!state) return []
  const reload = needsReload(state, wanted)
  if (reload) await refuseTakenPorts(context, node, wanted)
  try {
    if (reload) await addServers(context, node, state, wanted.backends)
    else {
      await changeServers(context, node, state, wanted.backends)
      await changeContents(context, node, wanted)
    }
    await applyOverrides(context, node, await nodeState(context.reach, node), wanted.overrides)
  } catch (error) {
    // The reload does all of it; what failed here is not lost.
    if (isRefusal(error)) return []
    throw error
  }
  return reload ? [] : ['reload:haproxy']
}

/** What a process of the same structure may be shown anew: certificates, and which backends are in maintenance. */
async function changeContents({ reach }: Context, node: MachineAccess, wanted: Configured): Promise<void> {
  await changeMap(reach, node, maintenanceMap, maintenanceEntries(wanted))
  await changeCertificates(reach, node, wanted.certificates)
}

/**
 * Waits until the node's process has the structure and the servers of its files and listens. systemd calls a reload done before the new
 * process has even read its configuration, and when that process fails the old one goes on: so the process itself is asked, and told once
 * more to reload when it is not the right one.
 */
export const afterConfigure: Control['afterConfigure'] = async (context, node, parameters) => {
  const wanted = configured(parameters)
  for (const last of [false, true]) {
    const state = await settled(context, node, wanted)
    if (typeof state !== 'string') {
      await changeContents(context, node, wanted)
      await applyOverrides(context, node, state, wanted.overrides)
      return untilShared(context, node, parameters)
    }
    if (last) throw await notInForce(context, node, state)
    await context.reach.exec(node, 'systemctl reload-or-restart haproxy', { root: true, timeout: 30_000 })
  }
}

/** The node's state once it is as its files say; after `reloadTime` what is missing. */
async function settled(
  { reach, signal }: Context,
  node: MachineAccess,
  wanted: Configured,
): Promise<NodeState | string> {
  for (const deadline = Date.now() + reloadTime; ; await sleep(pollMs, signal)) {
    const state = await nodeState(reach, node).catch((error) => {
      if (isRefusal(error)) return error.message
      throw error
    })
    const [missing] = typeof state === 'string' ? [state] : missingIn(state, wanted)
    if (typeof state !== 'string' && missing === undefined) return state
    if (Date.now() > deadline) return missing ?? ''
  }
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
