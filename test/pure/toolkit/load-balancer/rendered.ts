import { compile } from '../../../../src/recipes/compile.ts'
import { shippedRecipes } from '../../../../src/recipes/shipped.ts'
import type { MaintenanceOverride, Peer, ServerOverride } from '../../../../src/toolkit/load-balancer/configuration.ts'
import type { LoadBalancerParameters } from '../../../../src/toolkit/load-balancer/prepare.ts'
import { prepare } from '../../../../src/toolkit/load-balancer/prepare.ts'
import { loadBalancerSchema } from '../../../../src/toolkit/load-balancer/schema.ts'
import { loadBalancer } from '../../../../src/toolkit/load-balancer/service.ts'

const recipes = await shippedRecipes()

const servers = [
  { name: 'web-1', address: '10.0.0.1', port: 8080 },
  { name: 'web-2', address: 'fd00::2', port: 8080 },
]

export interface Given {
  overrides?: Record<string, ServerOverride | MaintenanceOverride>
  pem?: string
  password?: string
  nodes?: Peer[]
}

/** The recipe's parameters for a section, with servers, secrets and certificates put in. */
export async function parametersOf(
  section: unknown,
  { overrides = {}, pem = '', password = '', nodes = [] }: Given = {},
) {
  const spec = loadBalancerSchema.parse(section)
  const [component] = loadBalancer.plan({ name: 'loadBalancer', spec, components: [] }).components
  const settings = component?.settings as unknown as LoadBalancerParameters
  const { parameters } = await prepare({
    parameters: {
      ...settings,
      backends: settings.backends.map((one) => ({
        ...one,
        servers: Array.isArray(one.servers) ? one.servers : servers,
      })),
      certificates: settings.certificates.map(({ name }) => ({ name, pem })),
      users: settings.users.map((user) => ({ ...user, password })),
      overrides,
      nodes,
      seed: 's'.repeat(40),
    },
  })
  return parameters
}

/** Files that the recipe writes: path -> content. */
export async function filesOf(section: unknown, given: Given = {}): Promise<Map<string, string>> {
  const parameters = await parametersOf(section, given)
  const recipe = recipes.get('haproxy')
  if (!recipe) throw new Error('no recipe')
  const context = {
    installation: 'i',
    deployment: 'd',
    component: 'loadBalancer',
    machine: { name: 'load-balancer-1', address: '10.0.0.9', user: 'debian', cpu: 1, memory: 1 },
    parameters,
    port: 80,
    env: {},
    release: { number: 1 },
    consumers: [],
    peers: [],
  }
  const { text } = compile(recipe, 'configure', context, { mode: 'apply', secrets: [] })
  const found = [...text.matchAll(/^P='([^']+)'\nkb_file [^\n]*\nkb_content\(\) \{ printf %s '((?:[^']|'\\'')*)'/gm)]
  return new Map(found.map(([, path = '', content = '']) => [path, content.replaceAll("'\\''", "'")]))
}

export async function configurationOf(section: unknown, given: Given = {}): Promise<string> {
  return (await filesOf(section, given)).get('/etc/haproxy/haproxy.cfg') ?? ''
}
