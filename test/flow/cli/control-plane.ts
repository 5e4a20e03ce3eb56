import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { controlFakeCloud, type FakeCloudControl } from '../../../src/providers/fake/control.ts'
import { type KitbagProcess, runKitbag, temporaryHome } from '../../support/control-plane.ts'
import { type Ran, runCli } from './run-cli.ts'

export interface CliControlPlane {
  home: string
  url: string
  /** The fake cloud `home`, which the deployments go to. */
  cloud: FakeCloudControl
  /** Runs a command as a user beside this control plane does. */
  kitbag(args: string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ran>
  /** The same in a child that goes on; its output so far can be looked at. */
  start(args: string[]): ChildProcess & { output: () => string }
  /** A folder with `blueprint.yaml` and the application beside it. Removed with the control plane. */
  blueprint(text: string): string
  /** Kills the control plane with -9 and starts it again where it was. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The built program as `kitbag up`, in a process of its own, with a connected cloud `home` of the fake provider: a machine of one cpu costs 14 a month. */
export async function startCliControlPlane(): Promise<CliControlPlane> {
  const home = await temporaryHome()
  const files = mkdtempSync(join(tmpdir(), 'kitbag-cli-'))
  let up: KitbagProcess = runKitbag(['up'], { KITBAG_HOME: home })
  const env = { KITBAG_HOME: home }
  const stop = async () => {
    await up.end()
    rmSync(home, { recursive: true, force: true })
    rmSync(files, { recursive: true, force: true })
  }
  try {
    const url = (await up.ready).replace('kitbag is ready: ', '')
    const prices = 'prices={"cpu":10,"disk":1,"address":3}'
    const added = await runCli(['cloud', 'add', 'home', '--provider', 'fake', '--set', prices], { env })
    if (added.status !== 0) throw new Error(added.stderr)
    let count = 0
    return {
      home,
      url,
      cloud: controlFakeCloud(home, 'home'),
      kitbag: (args, options = {}) => runCli(args, { ...options, env: { ...env, ...options.env } }),
      start(args) {
        const child = spawn(join(packageRoot(), 'bin/kitbag'), args, {
          env: { PATH: process.env.PATH, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let output = ''
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
        return Object.assign(child, { output: () => output })
      },
      blueprint(text) {
        const folder = join(files, String(++count))
        mkdirSync(join(folder, 'app'), { recursive: true })
        writeFileSync(join(folder, 'app/server.js'), 'console.log(1)')
        writeFileSync(join(folder, 'blueprint.yaml'), text)
        return join(folder, 'blueprint.yaml')
      },
      async restart() {
        await up.end('SIGKILL')
        up = runKitbag(['up'], { KITBAG_HOME: home, KITBAG_LISTEN: new URL(url).host })
        await up.ready
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Two web machines behind a balancer, and a database that holds data. */
export function shopText(name = 'shop', more = ''): string {
  return `apiVersion: kitbag/v1
name: ${name}
parameters:
  replicas: { type: integer, minimum: 1, maximum: 9, default: 2 }
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    replicas: \${parameters.replicas}
    env: { DATABASE_URL: "\${db.url}"${more} }
    health: { http: /healthz, interval: 500ms }
    update: { drain: 0s }
  db:
    recipe: postgresql
    settings: { database: shop }
toolkit:
  loadBalancer:
    listeners: [ { port: 80, to: web } ]
`
}
