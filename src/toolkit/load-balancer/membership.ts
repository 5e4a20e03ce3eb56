import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, Overrides, ToolkitControl, ToolkitMember } from '../contract.ts'
import { overrideKey, type ServerOverride } from './configuration.ts'
import { nodeState, type ServerMode, type ServerState } from './node-state.ts'
import { change } from './runtime-socket.ts'
import { backendName, type LoadBalancerSpec } from './schema.ts'
import { modeLines } from './servers.ts'

type Context = ControlContext<LoadBalancerSpec>
type Control = ToolkitControl<LoadBalancerSpec>

const pollMs = 50

/** The member's servers on one node, in every backend that sends to it. */
async function serversOf({ spec, reach }: Context, node: MachineAccess, member: ToolkitMember): Promise<ServerState[]> {
  const backends = spec.listeners.filter(({ to }) => to === member.component).map(backendName)
  const { servers } = await nodeState(reach, node)
  return servers.filter(({ backend, server }) => server === member.machine && backends.includes(backend))
}

const idOf = ({ backend, server }: ServerState): string => `${backend}/${server}`

/** No new connection goes to it; the open ones end by themselves, or are left to end with the machine's service after `drain` ms. */
export const leave: Control['leave'] = async (context, member, { drain }) => {
  await Promise.all(context.machines.map((node) => leaveNode(context, node, member, drain)))
}

async function leaveNode(context: Context, node: MachineAccess, member: ToolkitMember, drain: number): Promise<void> {
  const { reach, signal } = context
  const before = await serversOf(context, node, member)
  if (before.length === 0) return
  // Maintenance cuts no connection, and unlike drain it also turns away clients that come back with a cookie. In it no check counts, so
  // none puts the server back before it is told to. The bad health makes its return begin with a quick check.
  const out = before.flatMap((server) => [
    ...(server.state === 'maintenance' ? [] : [`set server ${idOf(server)} health down`]),
    `set server ${idOf(server)} state maint`,
  ])
  await change(reach, node, ...out)
  for (const deadline = Date.now() + drain; Date.now() < deadline; await sleep(pollMs, signal)) {
    const open = (await serversOf(context, node, member)).some(({ sessions, queue }) => sessions + queue > 0)
    if (!open) return
  }
}

/** The mode that a server shall have once its machine is back: an override may hold it out. */
function wantedMode(overrides: Overrides, { backend, server }: ServerState): ServerMode {
  return (overrides[overrideKey(backend, server)] as ServerOverride | undefined)?.state ?? 'ready'
}

/** Whether it gets traffic, and a check has found that it may: UP alone is also what HAProxy assumes of one that it has not asked yet. */
function serves({ status, checkStatus }: ServerState): boolean {
  return status === 'UP' && /^L[467]OK/.test(checkStatus)
}

export const join: Control['join'] = async (context, member, options) => {
  await Promise.all(context.machines.map((node) => joinNode(context, node, member, options)))
}

async function joinNode(
  context: Context,
  node: MachineAccess,
  member: ToolkitMember,
  { overrides, timeout, going }: Parameters<Control['join']>[2],
): Promise<void> {
  const { reach, signal } = context
  for (const deadline = Date.now() + timeout; ; await sleep(pollMs, signal)) {
    const servers = await serversOf(context, node, member)
    if (servers.length === 0 && going.has(node.name)) return
    const lines = servers.flatMap((server) => modeLines(idOf(server), server.state, wantedMode(overrides, server)))
    if (lines.length > 0) await change(reach, node, ...lines)
    const waiting = servers.filter((server) => wantedMode(overrides, server) === 'ready' && !serves(server))
    if (servers.length > 0 && lines.length === 0 && waiting.length === 0) return
    if (Date.now() > deadline) throw notServing(context, node, member, waiting)
  }
}

function notServing(
  { service }: Context,
  node: MachineAccess,
  { machine }: ToolkitMember,
  waiting: ServerState[],
): KitbagError {
  const found =
    waiting.length === 0
      ? 'it is in no backend'
      : waiting.map(({ backend, status, checkStatus }) => `${backend}: ${status} (${checkStatus})`).join(', ')
  return new KitbagError('health-failed', `${machine} does not get traffic from ${service} on ${node.name}: ${found}`, {
    machine,
  })
}
