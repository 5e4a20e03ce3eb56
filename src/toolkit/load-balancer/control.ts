import { setTimeout as wait } from 'node:timers/promises'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext, ToolkitControl, ToolkitMember } from '../contract.ts'
import { type ConfiguredListener, overrideKey, type ServerOverride, structureDigest } from './configuration.ts'
import { change, command, type ServerState, statistics } from './runtime-socket.ts'
import { backendName, type LoadBalancerSpec } from './schema.ts'

type Context = ControlContext<LoadBalancerSpec>

const pollMs = 50

/** Backends that send to a component. */
function backendsOf({ spec }: Context, component: string): string[] {
  return spec.listeners.filter(({ to }) => to === component).map(backendName)
}

/** The member's servers on one node, in every backend that sends to it. */
async function serversOf(
  context: Context,
  node: MachineAccess,
  { component, machine }: ToolkitMember,
): Promise<ServerState[]> {
  const backends = backendsOf(context, component)
  const all = await statistics(context.reach, node)
  return all.filter(({ backend, server }) => server === machine && backends.includes(backend))
}

function onEveryNode(context: Context, work: (node: MachineAccess) => Promise<void>): Promise<unknown> {
  return Promise.all(context.machines.map(work))
}

/** No new connection goes to it; the open ones end by themselves or are left to end with the machine's service after `drain` ms. */
async function leave(context: Context, member: ToolkitMember, { drain }: { drain: number }): Promise<void> {
  const { reach, signal } = context
  await onEveryNode(context, async (node) => {
    const servers = await serversOf(context, node, member)
    for (const { backend, server, status } of servers) {
      if (!status.startsWith('MAINT')) await change(reach, node, `set server ${backend}/${server} state drain`)
    }
    const deadline = Date.now() + drain
    for (;;) {
      const open = (await serversOf(context, node, member)).reduce(
        (sum, { sessions, queue }) => sum + sessions + queue,
        0,
      )
      if (open === 0 || Date.now() >= deadline) break
      await wait(pollMs, undefined, signal ? { signal } : {})
    }
    // In maintenance no check sees it go down, and none puts it back before it is told to.
    for (const { backend, server } of servers) await change(reach, node, `set server ${backend}/${server} state maint`)
  })
}

async function join(
  context: Context,
  member: ToolkitMember,
  options: { overrides: Record<string, JsonObject>; timeout: number; going: Set<string> },
): Promise<void> {
  const { reach, signal } = context
  await onEveryNode(context, async (node) => {
    const deadline = Date.now() + options.timeout
    for (let told = false; ; told = true) {
      const servers = await serversOf(context, node, member)
      if (servers.length === 0 && options.going.has(node.name)) return
      const held = (server: ServerState) =>
        (options.overrides[overrideKey(server.backend, server.server)] as ServerOverride | undefined)?.state
      if (!told) {
        for (const server of servers) {
          const state = held(server)
          await change(
            reach,
            node,
            `set server ${server.backend}/${server.server} state ${state === 'maintenance' ? 'maint' : (state ?? 'ready')}`,
          )
        }
        continue
      }
      const waiting = servers.filter(
        (server) => held(server) === undefined && !server.status.startsWith('UP') && server.status !== 'no check',
      )
      if (servers.length > 0 && waiting.length === 0) return
      if (Date.now() > deadline) {
        const found =
          servers.length === 0
            ? 'it is in no backend'
            : waiting.map(({ backend, status, checkStatus }) => `${backend}: ${status} (${checkStatus})`).join(', ')
        throw new KitbagError(
          'health-failed',
          `${member.machine} does not get traffic from ${context.service} on ${node.name}: ${found}`,
          { machine: member.machine },
        )
      }
      await wait(pollMs, undefined, signal ? { signal } : {})
    }
  })
}

/** Digest of the structure that the running process has: its configuration's `description`. */
async function runningStructure(context: Context, node: MachineAccess): Promise<string | undefined> {
  const info = await command(context.reach, node, 'show info')
  return /^(?:Description|description): kitbag ([0-9a-f]+)/m.exec(info)?.[1]
}

function wantedServers(listeners: ConfiguredListener[]) {
  return listeners.flatMap(({ backend, servers, health }) => servers.map((server) => ({ backend, health, ...server })))
}

/**
 * Adds, removes and changes servers of the running process. What that cannot do (a new listener, another timeout) is left to the
 * seamless reload that the file's notification asks for: then nothing is suppressed.
 */
async function beforeConfigure(
  context: Context,
  node: MachineAccess,
  parameters: Record<string, unknown>,
): Promise<string[]> {
  const listeners = parameters.listeners as ConfiguredListener[]
  const overrides = (parameters.overrides ?? {}) as Record<string, ServerOverride>
  try {
    if ((await runningStructure(context, node)) !== structureDigest(listeners)) return []
    await bringIntoForce(context, node, listeners, overrides)
    return ['reload:haproxy']
  } catch (error) {
    // The reload does all of it; what failed here is not lost.
    if (error instanceof KitbagError && error.code === 'service-failed') return []
    throw error
  }
}

async function bringIntoForce(
  context: Context,
  node: MachineAccess,
  listeners: ConfiguredListener[],
  overrides: Record<string, ServerOverride>,
): Promise<void> {
  const { reach } = context
  const running = (await statistics(reach, node)).filter(({ server }) => server !== 'BACKEND')
  const wanted = wantedServers(listeners)
  const same = (a: { backend: string; address: string; port: number }, b: typeof a) =>
    a.backend === b.backend && a.address === b.address && a.port === b.port
  for (const { backend, name, address, port, health } of wanted) {
    const found = running.find((row) => row.backend === backend && row.server === name)
    const id = `${backend}/${name}`
    if (found && !same(found, { backend, address, port })) {
      await change(reach, node, `set server ${id} state maint`)
      await change(reach, node, `del server ${id}`)
    }
    if (!found || !same(found, { backend, address, port })) {
      const host = address.includes(':') ? `[${address}]` : address
      const check = `check inter ${health.interval} fastinter ${health.interval} downinter ${health.interval} rise ${health.rise} fall ${health.fall}`
      await change(reach, node, `add server ${id} ${host}:${port} ${check}`)
      await change(reach, node, `set server ${id} state ready`)
      await change(reach, node, `enable health ${id}`)
    }
    await applyOverride(context, node, id, overrides[overrideKey(backend, name)] ?? {}, found)
  }
  for (const { backend, server } of running) {
    if (
      !listeners.some((listener) => listener.backend === backend) ||
      wanted.some((row) => row.backend === backend && row.name === server)
    )
      continue
    await change(reach, node, `set server ${backend}/${server} state maint`)
    await change(reach, node, `shutdown sessions server ${backend}/${server}`)
    await change(reach, node, `del server ${backend}/${server}`)
  }
}

async function applyOverride(
  { reach }: Context,
  node: MachineAccess,
  id: string,
  override: ServerOverride,
  found: ServerState | undefined,
): Promise<void> {
  const weight = override.weight ?? 100
  if ((found?.weight ?? 1) !== weight) await change(reach, node, `set server ${id} weight ${weight}`)
  const state = override.state
  if (state) await change(reach, node, `set server ${id} state ${state === 'maintenance' ? 'maint' : 'drain'}`)
  // A machine that an update has taken out stays out until the update puts it back; an override that ended does so at once.
  else if (found?.status.startsWith('DRAIN')) await change(reach, node, `set server ${id} state ready`)
}

export const control: ToolkitControl<LoadBalancerSpec> = { leave, join, beforeConfigure }
