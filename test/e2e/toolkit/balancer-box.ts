import { expect } from 'vitest'
import { createLog } from '../../../src/lib/log.ts'
import { newId } from '../../../src/model/ids.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { ProgramResult } from '../../../src/model/program.ts'
import type { Reach } from '../../../src/model/reach.ts'
import type { RecipeContext } from '../../../src/model/recipe.ts'
import { compile } from '../../../src/recipes/compile.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { createReach } from '../../../src/shell/reach.ts'
import { runProgram } from '../../../src/shell/run-program.ts'
import type { ReadContext } from '../../../src/toolkit/contract.ts'
import type {
  ConfiguredCertificate,
  ConfiguredServer,
  MaintenanceOverride,
  Peer,
  ServerOverride,
} from '../../../src/toolkit/load-balancer/configuration.ts'
import { nodeState, type ServerState } from '../../../src/toolkit/load-balancer/node-state.ts'
import type { LoadBalancerParameters } from '../../../src/toolkit/load-balancer/prepare.ts'
import { prepare } from '../../../src/toolkit/load-balancer/prepare.ts'
import { command } from '../../../src/toolkit/load-balancer/runtime-socket.ts'
import { type LoadBalancerSpec, loadBalancerSchema } from '../../../src/toolkit/load-balancer/schema.ts'
import { loadBalancer } from '../../../src/toolkit/load-balancer/service.ts'
import { backendsOf } from '../../../src/toolkit/load-balancer/targets.ts'
import { noBlobs } from '../../flow/shell/programs.ts'
import { until } from '../../support/until.ts'
import { localBox } from '../providers/local-box.ts'
import { newKeyPair } from '../providers/ssh-login.ts'
import type { Backend } from './backend.ts'

export interface Wanted {
  /** A `toolkit.loadBalancer` section. */
  section: unknown
  /** Component -> its machines. */
  members?: Record<string, Backend[]>
  overrides?: Record<string, ServerOverride | MaintenanceOverride>
  certificates?: ConfiguredCertificate[]
  /** Values of `${secrets.X}`. */
  secrets?: Record<string, string>
  /** Further machines of the service, which are not there. */
  peers?: Peer[]
  /** Machines that an operation has in its hands. */
  unsettled?: string[]
}

export interface BalancerBox {
  reach: Reach
  node: MachineAccess
  /** The address under which machines reach this process. */
  host: string
  context(wanted: Wanted): ReadContext<LoadBalancerSpec>
  parameters(wanted: Wanted): Promise<Record<string, unknown>>
  /** As a `configure` unit does it; `first`: on a machine that was never configured. */
  configure(wanted: Wanted, options?: { first: boolean }): Promise<ProgramResult & { suppressed: string[] }>
  /** The recipe's program alone. */
  program(wanted: Wanted, suppress?: string[]): Promise<ProgramResult>
  server(name: string, backend?: string): Promise<ServerState | undefined>
  /** Waits until it sends to all of these. */
  up(...names: string[]): Promise<void>
  /** Process id of HAProxy's worker: a reload makes another. */
  worker(): Promise<number>
  /** Runs a command as root; throws when it fails. */
  run(command: string): Promise<string>
  close(): Promise<void>
}

const serverOf = ({ name, port }: Backend, address: string): ConfiguredServer => ({ name, address, port })

/** One `local` machine with the load balancer's recipe installed; backends are this process. */
export async function balancerBox(image: string): Promise<BalancerBox> {
  const box = await localBox()
  const login = newKeyPair()
  const hostKey = newKeyPair()
  const tags = { installation: box.installation, deployment: 'dep_lb' }
  const reach = createReach({ privateKey: login.privateKey, log: createLog({ level: 'error' }) })

  async function close(): Promise<void> {
    await reach.close()
    for (const { id } of await box.provider.listMachines({ tags })) await box.provider.destroyMachine(id)
    expect(await box.provider.residue?.(box.installation)).toEqual([])
    await box.close()
  }

  try {
    const node = await createNode()
    const recipe = (await shippedRecipes()).get('haproxy')
    if (!recipe) throw new Error('there is no recipe haproxy')
    const host = node.address.replace(/\d+$/, '1')

    const specOf = ({ section }: Wanted) => loadBalancerSchema.parse(section)

    async function parameters(wanted: Wanted): Promise<Record<string, unknown>> {
      const [component] = loadBalancer.plan({ name: 'loadBalancer', spec: specOf(wanted), components: [] }).components
      const settings = component?.settings as unknown as LoadBalancerParameters
      const targets = backendsOf(specOf(wanted))
      const backends = settings.backends.map((backend) => {
        const to = targets.get(backend.backend)?.to
        if (typeof to !== 'string') return backend
        return { ...backend, servers: (wanted.members?.[to] ?? []).map((member) => serverOf(member, host)) }
      })
      const users = settings.users.map(({ password, ...user }) => {
        const { $ref } = password as { $ref: string }
        return { ...user, password: wanted.secrets?.[$ref.replace('secrets.', '')] }
      })
      const { certificates = [], overrides = {}, peers = [] } = wanted
      const nodes = peers.length > 0 ? [{ name: node.name, address: node.address }, ...peers] : []
      const resolved = { ...settings, backends, users, certificates, overrides, nodes, seed: 's'.repeat(40) }
      return (await prepare({ parameters: resolved })).parameters
    }

    const context = (wanted: Wanted): ReadContext<LoadBalancerSpec> => ({
      service: 'loadBalancer',
      spec: specOf(wanted),
      reach,
      machines: [node],
      unsettled: new Set(wanted.unsettled),
      parameters: async () => ({}),
      outside: async () => [],
    })

    async function phase(name: 'install' | 'configure', values: Record<string, unknown>, suppress: string[] = []) {
      const recipeContext: RecipeContext = {
        installation: box.installation,
        deployment: 'dep_lb',
        component: 'loadBalancer',
        machine: { name: node.name, address: node.address, user: node.user, cpu: 1, memory: 2 ** 29 },
        parameters: values,
        env: {},
        release: { number: 1 },
        consumers: [],
        peers: [],
      }
      const program = compile(recipe as NonNullable<typeof recipe>, name, recipeContext, {
        mode: 'apply',
        secrets: [],
        suppress,
      })
      return runProgram(reach, node, program, { blobs: noBlobs })
    }

    const self: BalancerBox = {
      reach,
      node,
      host,
      context,
      parameters,
      program: async (wanted, suppress) => phase('configure', await parameters(wanted), suppress),
      async configure(wanted, { first } = { first: false }) {
        const { beforeConfigure, afterConfigure } = loadBalancer.control
        const values = await parameters(wanted)
        const suppressed = first ? [] : await beforeConfigure(context(wanted), node, values)
        const result = await phase('configure', values, suppressed)
        await afterConfigure(context(wanted), node, values)
        return { ...result, suppressed }
      },
      async server(name, backend = 'web') {
        const { servers } = await nodeState(reach, node)
        return servers.find((row) => row.server === name && row.backend === backend)
      },
      up: (...names) =>
        until(async () =>
          (await Promise.all(names.map((name) => self.server(name)))).every((row) => row?.status === 'UP'),
        ),
      worker: async () => Number(/^Pid: (\d+)/m.exec(await command(reach, node, 'show info'))?.[1]),
      async run(command) {
        const { status, stdout, stderr } = await reach.exec(node, command, { root: true, timeout: 120_000 })
        if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}${stdout}`)
        return stdout.trim()
      },
      close,
    }
    await phase('install', { overrides: {} })
    return self
  } catch (error) {
    await close()
    throw error
  }

  async function createNode(): Promise<MachineAccess> {
    const spec = await box.provider.resolve({ cpu: 1, memory: 2 ** 29, image }, { ordinal: 1 })
    const token = newId('mac')
    const machine = await box.provider.createMachine(
      { name: 'load-balancer-1', spec, hostKey, authorizedKeys: [login.publicKey], component: 'web' },
      { token, tags: { ...tags, machine: token } },
    )
    const address = machine.addresses[0]?.address ?? ''
    const { name, sshPort: port, user } = machine
    const access = { id: token, name, address, port, user, hostKey: hostKey.publicKey }
    await reach.waitForSsh(access, { timeout: 120_000 })
    return access
  }
}
