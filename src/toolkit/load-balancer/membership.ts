import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, Overrides, ToolkitControl, ToolkitMember } from '../contract.ts'
import { overrideKey, type ServerOverride } from './configuration.ts'
import { nodeState, type ServerMode, type ServerState } from './node-state.ts'
import { change } from './runtime-socket.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { modeLines } from './servers.ts'
import { targetsOf } from './targets.ts'
import { createTurns } from './turns.ts'

type Context = ControlContext<LoadBalancerSpec>
type Control = ToolkitControl<LoadBalancerSpec>
type LeaveOptions = Parameters<Control['leave']>[2]

const pollMs = 50

/** Milliseconds that a machine which is the last to serve waits for another, before it is left where it is. */
const successorTime = 60_000

/** Seconds for which one that is down may only be on its way up. */
const recentSeconds = 10

type Others = 'serve' | 'coming' | 'none'

/** Two that leave at the same time would each count on the other. */
const alone = createTurns(1)

/** Whether it is the member's server in a backend that sends to its component. */
function isOf({ spec }: Context, { backend, server }: ServerState, { component, machine }: ToolkitMember): boolean {
  return server === machine && targetsOf(spec).some((target) => target.to === component && target.backend === backend)
}

/** The member's servers on one node, in every backend that sends to it. */
async function serversOf(context: Context, node: MachineAccess, member: ToolkitMember): Promise<ServerState[]> {
  const { servers } = await nodeState(context.reach, node)
  return servers.filter((row) => isOf(context, row, member))
}

const idOf = ({ backend, server }: ServerState): string => `${backend}/${server}`

/** No new connection goes to it; the open ones end by themselves, or are left to end with the machine's service after `drain` ms. */
export const leave: Control['leave'] = async (context, member, options) => {
  await Promise.all(context.machines.map((node) => leaveNode(context, node, member, options)))
}

async function leaveNode(
  context: Context,
  node: MachineAccess,
  member: ToolkitMember,
  options: LeaveOptions,
): Promise<void> {
  const { reach, signal } = context
  for (const deadline = Date.now() + successorTime; ; await sleep(pollMs, signal)) {
    const others = await alone(reach, node, () => takeOut(context, node, member, options))
    if (others === 'serve') break
    // The last that serves stays: it is away for its restart only, where otherwise nobody would serve for all of the update.
    if (others === 'none' || Date.now() > deadline) return
  }
  for (const deadline = Date.now() + options.drain; Date.now() < deadline; await sleep(pollMs, signal)) {
    const open = (await serversOf(context, node, member)).some(({ sessions, queue }) => sessions + queue > 0)
    if (!open) return
  }
}

/**
 * Takes the member's servers out where others serve. When no other does: `coming` if one may soon, because an operation has it in its
 * hands or its checks have yet to pass, else `none`.
 */
async function takeOut(
  context: Context,
  node: MachineAccess,
  member: ToolkitMember,
  { overrides, going }: LeaveOptions,
): Promise<Others> {
  const { servers } = await nodeState(context.reach, node)
  const own = servers.filter((row) => isOf(context, row, member))
  for (const { backend, state, status } of own) {
    if (going || state === 'maintenance' || !status.startsWith('UP')) continue
    const others = servers.filter(
      (row) => row.backend === backend && row.server !== 'BACKEND' && row.server !== member.machine,
    )
    if (others.some((row) => row.state === 'ready' && row.status.startsWith('UP'))) continue
    const free = others.filter((row) => wantedMode(overrides, row) === 'ready')
    return free.some((row) => row.state === 'maintenance' || row.lastChange < recentSeconds) ? 'coming' : 'none'
  }
  // Maintenance cuts no connection, and unlike drain it also turns away clients that come back with a cookie. In it no check counts, so
  // none puts the server back before it is told to. The bad health makes its return begin with a quick check.
  const out = own.flatMap((server) => [
    ...(server.state === 'maintenance' ? [] : [`set server ${idOf(server)} health down`]),
    `set server ${idOf(server)} state maint`,
  ])
  if (out.length > 0) await change(context.reach, node, ...out)
  return 'serve'
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
