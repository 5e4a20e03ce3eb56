import { apiUser, type Operated } from '../../support/api-user.ts'
import { startControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { type Guest, guestAt } from '../../support/guest.ts'

export interface Machine {
  name: string
  component: string
  status: string
  address: string
}

export interface ServerRow {
  node: string
  server: string
  backend: string
  status: string
  state: string
  weight: number
}

export interface TestDeployment {
  /** Deploys a version of the application; throws with the operation's error when it fails. */
  deploy(blueprint: string, version: string, more?: object): Promise<void>
  /** Another operation, as it ended. */
  submit(body: object): Promise<Operated>
  scale(replicas: Record<string, number>): Promise<Operated>
  /** Replaces machines. */
  heal(machines: string[]): Promise<Operated>
  /** Changes a server at run time and waits until that is in force. */
  change(server: string, body: object): Promise<Operated>
  machines(component: string): Promise<Machine[]>
  statistics(): Promise<ServerRow[]>
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** The machine of that name, to be hurt. */
  guest(machine: string): Promise<Guest>
  /** Destroys it; gives what is left on the box of all that was made. */
  close(allowDataLoss?: string[]): Promise<string[]>
}

/** A machine that needs no more than what runs on it here. */
export const small = { cpu: 1, memory: '256MiB' }

/** A blueprint with the application as `web` behind a load balancer; what is given comes to the sections or takes the place of a default. */
export function balancedShop({
  web = {},
  loadBalancer = {},
  ...services
}: Record<string, object> & { web?: object; loadBalancer?: object } = {}): string {
  const health = { http: '/', interval: '500ms' }
  const application = { source: './app', runtime: 'nodejs', start: 'node server.js', port: 8080, health, ...web }
  const balancer = { listeners: [{ port: 80, to: 'web' }], machine: small, ...loadBalancer }
  return JSON.stringify({
    apiVersion: 'kitbag/v1',
    name: 'shop',
    components: { web: application },
    toolkit: { loadBalancer: balancer, ...services },
  })
}

/** Answers with its name and version, at once or after the time that a request asks for (`?wait=5000`), and ends the requests at hand when it is told to stop. */
const application = (version: string) => `
const http = require('node:http')
const { hostname } = require('node:os')
const server = http.createServer((request, response) => {
  response.setHeader('x-served-by', hostname())
  response.setHeader('x-release', ${JSON.stringify(version)})
  setTimeout(() => response.end('hello'), Number(/[?]wait=(\\d+)/.exec(request.url)?.[1] ?? 0))
})
server.keepAliveTimeout = 65_000
server.listen(Number(process.env.PORT), '::')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

/** A control plane of its own with one deployment `shop` on real machines. */
export async function testDeployment(settings: object = {}): Promise<TestDeployment> {
  const plane: TestControlPlane = await startControlPlane()
  const base = '/v1/deployments/shop'

  const { call, succeeded, swept, upload } = apiUser(() => plane)
  const submit = async (body: object) => succeeded(await call<Operated>('POST', `${base}/operations`, body))

  await call('POST', '/v1/clouds', { name: 'home', provider: 'local', settings, credentials: {} })
  return {
    call,
    submit,
    async deploy(text, version, more = {}) {
      const digest = await upload({ 'server.js': application(version) })
      await submit({ kind: 'deploy', blueprint: { text }, sources: { './app': digest }, cloud: 'home', ...more })
    },
    scale: (scale) => submit({ kind: 'scale', scale }),
    heal: (machines) => submit({ kind: 'heal', machines }),
    change: async (server, body) =>
      succeeded(
        await call<Operated>('PATCH', `${base}/load-balancers/loadBalancer/backends/web/servers/${server}`, body),
      ),
    machines: async (component) =>
      (await call<{ machines: Machine[] }>('GET', base)).machines.filter((machine) => machine.component === component),
    statistics: async () =>
      (await call<{ servers: ServerRow[] }>('GET', `${base}/load-balancers/loadBalancer/statistics`)).servers.filter(
        ({ server }) => server !== 'BACKEND',
      ),
    async guest(machine) {
      const { machines } = await call<{ machines: Machine[] }>('GET', base)
      const address = machines.find(({ name }) => name === machine)?.address
      if (address === undefined) throw new Error(`there is no machine ${machine}`)
      return guestAt(plane.home, address)
    },
    async close(allowDataLoss) {
      try {
        await submit({ kind: 'destroy', ...(allowDataLoss && { allowDataLoss }) })
        return await swept()
      } finally {
        await plane.stop()
      }
    },
  }
}
