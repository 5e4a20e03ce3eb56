import type { FirewallRule } from '../../../src/model/firewall.ts'
import { providers } from '../../../src/providers/index.ts'
import type { DriverLife, DriverMessage } from './killed-drivers.ts'

/** A worker's part of a deployment's life: the calls of a driver that its operations make, from a step on. It is killed on the way. */

const life = JSON.parse(process.env.KITBAG_TEST_DRIVER ?? '{}') as DriverLife
const { kind, installation, deployment, tokens } = life
const owner = { installation, deployment }
const say = (message: DriverMessage) => new Promise((resolve) => process.send?.(message, resolve))
process.on('disconnect', () => process.exit(1))

const driver = await providers[kind]()
const provider = await driver.connect(
  {
    name: kind,
    settings: driver.settings.parse(life.settings) as never,
    credentials: driver.credentials.parse(life.credentials) as never,
  },
  { installation, home: '/nowhere', cache: '/nowhere', log: () => {} },
)
const web: FirewallRule[] = [{ protocol: 'tcp', from: 80, to: 80, sources: [{ network: '0.0.0.0/0' }] }]
const db: FirewallRule[] = [{ protocol: 'tcp', from: 5432, to: 5432, sources: [{ component: 'web' }] }]
const listed = () => provider.listMachines({ tags: owner })

async function create(token: string, i: number): Promise<void> {
  const component = ['web', 'db'][i % 2] ?? ''
  const spec = await provider.resolve({ cpu: 1, memory: 2 ** 29, image: 'debian-13' }, { ordinal: i + 1 })
  const hostKey = { privateKey: 'of the machine', publicKey: 'ssh-ed25519 AAAA host' }
  const request = { name: `${component}-${i + 1}`, spec, component, hostKey, authorizedKeys: ['ssh-ed25519 BBBB'] }
  await provider.createMachine(request, { token, tags: { ...owner, machine: token } })
}

async function fixAddress(): Promise<void> {
  const [first] = await listed()
  if (!provider.staticAddresses || !first) return
  for (const end = Date.now() + 60_000; (await provider.getMachine(first.id))?.status !== 'running'; ) {
    if (Date.now() > end) throw new Error(`${first.name} is not running after a minute`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await provider.staticAddresses.assign(owner, 'web-1', first.id)
  await say({ addresses: (await provider.staticAddresses.list(installation)).length })
}

const steps = [
  () => provider.secure?.(owner, { web, db }),
  async () => {
    await Promise.all(tokens.map(create))
    await say({ machines: (await listed()).map(({ tags }) => tags.machine).sort() })
    await fixAddress()
  },
  async () => {
    await Promise.all((await listed()).map(({ id }) => provider.destroyMachine(id)))
    await say({ machines: (await listed()).filter(({ status }) => status !== 'gone').map(({ tags }) => tags.machine) })
    await provider.staticAddresses?.release(owner, 'web-1')
  },
  () => provider.release?.(owner),
]
for (let step = life.step; step < steps.length; step++) {
  await steps[step]?.()
  await say({ step: step + 1 })
}
await say({ ended: true })
process.exit(0)
