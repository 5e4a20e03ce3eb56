import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext } from '../contract.ts'
import { serverOptions } from './backend-text.ts'
import {
  type ConfiguredBackend,
  type ConfiguredServer,
  defaultWeight,
  isFixed,
  overrideKey,
  type ServerOverride,
  type ServerOverrides,
  sameServer,
} from './configuration.ts'
import type { NodeState, ServerMode, ServerState } from './node-state.ts'
import { change } from './runtime-socket.ts'

type Context = Pick<ControlContext<unknown>, 'reach' | 'signal' | 'unsettled'>

/** Milliseconds that open connections have when their server is removed without having been taken out of traffic before. */
const removalPatience = 10_000
const pollMs = 50

/**
 * Lines that put a server into traffic once it has passed its checks. By itself HAProxy sends to a server that leaves maintenance at
 * once and asks later.
 */
function enterLines(id: string): string[] {
  return [`set server ${id} state drain`, `set server ${id} health down`, `set server ${id} state ready`]
}

/** Lines that bring a server from one mode into another. */
export function modeLines(id: string, from: ServerMode, to: ServerMode): string[] {
  if (from === to) return []
  if (to === 'maintenance') return [`set server ${id} state maint`]
  if (from === 'maintenance') {
    const entering = enterLines(id)
    return to === 'ready' ? entering : entering.slice(0, -1)
  }
  return [`set server ${id} state ${to}`]
}

/** What differs between a node's servers and those that its configuration has. */
export function serverDifferences(
  { servers }: NodeState,
  backends: ConfiguredBackend[],
): { missing: { of: ConfiguredBackend; server: ConfiguredServer }[]; surplus: ServerState[] } {
  const wanted = backends.flatMap((of) => of.servers.map((server) => ({ of, server })))
  const isRow = (row: ServerState, backend: string, server: ConfiguredServer) =>
    row.backend === backend && sameServer({ ...row, name: row.server }, server)
  const known = new Set(backends.map(({ backend }) => backend))
  return {
    missing: wanted.filter(({ of, server }) => !servers.some((row) => isRow(row, of.backend, server))),
    surplus: servers.filter(
      (row) =>
        row.server !== 'BACKEND' &&
        known.has(row.backend) &&
        !wanted.some(({ of, server }) => isRow(row, of.backend, server)),
    ),
  }
}

/** Makes the running process have these servers and no others; those that are fixed it cannot add. */
export async function changeServers(
  context: Context,
  node: MachineAccess,
  state: NodeState,
  backends: ConfiguredBackend[],
): Promise<void> {
  const { missing, surplus } = serverDifferences(state, backends)
  // First what goes: one that came back under another address has the name of one that is still there.
  for (const row of surplus) await removeServer(context, node, row)
  for (const { of, server } of missing) await addServer(context, node, of, server)
}

/** Adds servers that the running process does not know yet, so that a reload finds out nothing about them that was not checked. */
export async function addServers(
  context: Context,
  node: MachineAccess,
  state: NodeState,
  backends: ConfiguredBackend[],
): Promise<void> {
  const running = new Set(state.servers.map(({ backend }) => backend))
  const known = backends.filter((of) => running.has(of.backend) && !isFixed(of))
  for (const { of, server } of serverDifferences(state, known).missing) {
    const taken = state.servers.some((row) => row.backend === of.backend && row.server === server.name)
    if (!taken) await addServer(context, node, of, server)
  }
}

async function addServer(
  { reach }: Context,
  node: MachineAccess,
  of: ConfiguredBackend,
  { name, address, port }: ConfiguredServer,
): Promise<void> {
  const id = `${of.backend}/${name}`
  const host = address.includes(':') ? `[${address}]` : address
  const [out = '', ...rest] = enterLines(id)
  const options = `${serverOptions(of)} pool-purge-delay 500ms weight ${defaultWeight}`
  await change(reach, node, `add server ${id} ${host}:${port} ${options}`)
  await change(reach, node, out, `enable health ${id}`, ...rest)
}

/** No new connections; the open ones may end, unless it was out of traffic already. Then it is forgotten. */
async function removeServer(
  { reach, signal }: Context,
  node: MachineAccess,
  { backend, server, state }: ServerState,
): Promise<void> {
  const id = `${backend}/${server}`
  await change(reach, node, `set server ${id} state maint`)
  const cut = Date.now() + (state === 'maintenance' ? 0 : removalPatience)
  const last = cut + removalPatience
  for (;;) {
    if (Date.now() >= cut) await change(reach, node, `shutdown sessions server ${id}`)
    try {
      return await change(reach, node, `del server ${id}`)
    } catch (error) {
      // Refused, it still has connections: idle ones of its pool are closed by HAProxy's other threads a moment later.
      const refused = error instanceof KitbagError && error.code === 'service-failed' && !error.retryable
      if (!refused || Date.now() >= last) throw error
      await sleep(pollMs, signal)
    }
  }
}

/**
 * Lines for each server whose weight or state is not as it shall be. A machine that an operation has taken out stays out until the operation
 * puts it back.
 */
export function overrideLines(
  unsettled: ReadonlySet<string>,
  { servers }: NodeState,
  overrides: ServerOverrides,
): { row: ServerState; lines: string[] }[] {
  return servers.flatMap((row) => {
    if (row.server === 'BACKEND') return []
    const override: ServerOverride = overrides[overrideKey(row.backend, row.server)] ?? {}
    const id = `${row.backend}/${row.server}`
    const held = unsettled.has(row.server) ? row.state : 'ready'
    const mode = held === 'maintenance' ? held : (override.state ?? held)
    const weight = override.weight ?? defaultWeight
    const weightLines = row.weight === weight ? [] : [`set server ${id} weight ${weight}`]
    const lines = [
      // The configuration has weight 0 for one in drain: first the state, so that its weight does not let it in.
      ...(mode === 'ready' ? weightLines : []),
      ...modeLines(id, row.state, mode),
      ...(mode === 'ready' ? [] : weightLines),
    ]
    return lines.length > 0 ? [{ row, lines }] : []
  })
}

/** Brings weights and states into force. */
export async function applyOverrides(
  { reach, unsettled }: Context,
  node: MachineAccess,
  state: NodeState,
  overrides: ServerOverrides,
): Promise<void> {
  for (const { lines } of overrideLines(unsettled, state, overrides)) await change(reach, node, ...lines)
}
