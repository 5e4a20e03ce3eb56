import type { ResolvedComponent, ResolvedService } from '../../../src/model/blueprint.ts'
import { type MachineRecord, machineName } from '../../../src/model/machine.ts'
import type { Plan } from '../../../src/model/plan.ts'
import type { RecipeSignature } from '../../../src/model/recipe.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { machinesToCreate, plan } from '../../../src/planner/plan.ts'
import type { PlanInput } from '../../../src/planner/plan-input.ts'
import { loadBalancerSchema } from '../../../src/toolkit/load-balancer/schema.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'

function signature(name: string, more: Partial<RecipeSignature>): RecipeSignature & { archive: string } {
  const parameters = { type: 'object', properties: {}, additionalProperties: false }
  const phases: RecipeSignature['phases'] = ['install', 'configure']
  const base = { name, digest: `${name}-1`, kind: 'service' as const, stateful: false, outputs: [], parameters, phases }
  return { ...base, uses: [], archive: '', ...more }
}

const recipes = {
  nodejs: signature('nodejs', { kind: 'application', phases: ['install', 'migrate', 'configure'] }),
  postgresql: signature('postgresql', {
    stateful: true,
    defaultPort: 5432,
    outputs: ['url', 'password'],
    uses: ['consumers'],
  }),
  mesh: signature('mesh', { uses: ['peers', 'consumers'] }),
  haproxy: signature('haproxy', {}),
  firewall: signature('firewall', {}),
}

type Recipe = keyof typeof recipes

/** A component with defaults; `recipe` tells what it is. */
export function component(
  name: string,
  recipe: Recipe,
  {
    machine,
    ...more
  }: Partial<Omit<ResolvedComponent, 'machine'>> & { machine?: Partial<ResolvedComponent['machine']> } = {},
): ResolvedComponent {
  return {
    name,
    recipe,
    replicas: 1,
    machine: { cpu: 1, memory: 2 ** 29, image: 'debian-13', ...machine },
    placement: {},
    env: {},
    settings: {},
    update: { maxUnavailable: 1, drain: 0 },
    ...(recipe === 'nodejs' && { source: './app', start: 'node server.js', port: 8080 }),
    ...(recipe === 'postgresql' && { port: 5432 }),
    ...more,
  }
}

/** A balancer in front of these components, one port each. `isLimited`: its machines count clients together, so they name each other. */
export function balancer(
  members: string[],
  replicas = 1,
  name = 'loadBalancer',
  { isLimited = false, placement }: { isLimited?: boolean; placement?: { with: string } } = {},
): ResolvedService {
  const limit = isLimited ? { rateLimit: { requests: 1 } } : {}
  const listeners = members.map((to, i) => ({ port: 80 + i, to, ...limit }))
  const spec = loadBalancerSchema.parse({ listeners, replicas, ...(placement && { placement }) })
  return { name, kind: 'loadBalancer', spec: JSON.parse(JSON.stringify(spec)) }
}

export interface Described {
  components: ResolvedComponent[]
  services?: ResolvedService[]
  /** Stands for the content of ./app. */
  source?: string
  secretVersions?: Record<string, number>
  /** Machines let in only what is declared. Default false. */
  firewall?: boolean
}

export function release({
  components,
  services = [],
  source = '1',
  secretVersions = {},
  firewall,
}: Described): ReleaseSpec {
  return {
    blueprint: {
      apiVersion: 'kitbag/v1',
      name: 'shop',
      parameters: {},
      secrets: [],
      components,
      services,
      placement: {},
      ...(firewall && { firewall }),
    },
    text: '',
    sources: { './app': source },
    recipes,
    secretVersions,
  }
}

/** A shop: two web machines that use a database, behind a balancer. */
export function shop(web: Parameters<typeof component>[2] = {}, more: Partial<Described> = {}): ReleaseSpec {
  const env = { DATABASE_URL: { $ref: 'db.url' } }
  return release({
    components: [component('web', 'nodejs', { replicas: 2, env, ...web }), component('db', 'postgresql')],
    services: [balancer(['web'])],
    secretVersions: { 'db.password': 1 },
    ...more,
  })
}

/** The row of a machine that serves: `web-2`, without addresses. */
export function machineRow(name: string, more: Partial<MachineRecord> = {}): MachineRecord {
  const dash = name.lastIndexOf('-')
  return {
    id: `mac_${name}`,
    deploymentId: 'dep_1',
    component: name.slice(0, dash),
    name,
    ordinal: Number(name.slice(dash + 1)),
    cloudId: 'cld_1',
    status: 'ready',
    addresses: [],
    user: 'debian',
    sshPort: 22,
    hostKey: '',
    spec: { size: 's', image: 'i', requirements: { cpu: 1, memory: 2 ** 30, image: 'debian-13' } },
    stateful: false,
    installDigest: null,
    configureDigest: null,
    drifted: false,
    releaseNumber: 1,
    ...more,
  }
}

/** What is, as far as the planner sees it, and what it cannot see: who gets traffic and what files name. */
export interface State {
  machines: MachineRecord[]
  migrated: Record<string, string[]>
  /** A service's machine -> machines that it sends to. */
  traffic: Map<string, Set<string>>
  /** Machine -> machines that its files name. */
  named: Map<string, Set<string>>
  /** Machine with a firewall -> machines that it lets in. */
  admitted: Map<string, Set<string>>
  /** Machine -> components that it uses, as it was configured last. */
  uses: Map<string, string[]>
  /** Machines ever made. */
  made: number
}

export const nothing = (): State => ({
  machines: [],
  migrated: {},
  traffic: new Map(),
  named: new Map(),
  admitted: new Map(),
  uses: new Map(),
  made: 0,
})

export function copyOf(state: State): State {
  const sets = (map: Map<string, Set<string>>) => new Map([...map].map(([key, set]) => [key, new Set(set)]))
  const machines = state.machines.map((machine) => ({ ...machine }))
  return {
    machines,
    migrated: structuredClone(state.migrated),
    traffic: sets(state.traffic),
    named: sets(state.named),
    admitted: sets(state.admitted),
    uses: new Map(state.uses),
    made: state.made,
  }
}

export function inputFor(spec: ReleaseSpec | undefined, state: State, more: Partial<PlanInput> = {}): PlanInput {
  return {
    deployment: 'shop',
    kind: 'deploy',
    machines: state.machines,
    migrated: state.migrated,
    overrides: {},
    clouds: { home: 'cld_1', other: 'cld_2' },
    cloudId: 'cld_1',
    toolkit,
    allowDataLoss: [],
    ...(spec && { release: { number: 1, spec } }),
    ...more,
  }
}

export function planOf(input: PlanInput): Plan {
  const specs = machinesToCreate(input).map(({ component: { name, machine }, ordinal }) => {
    return [machineName(name, ordinal), { size: 's', image: 'i', requirements: machine }] as const
  })
  return plan(input, new Map(specs))
}
