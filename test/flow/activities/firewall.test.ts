import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ErrorRecord, KitbagError } from '../../../src/model/errors.ts'
import type { FirewallRule } from '../../../src/model/firewall.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'

let flow: Flow
/** deployment id -> what its clouds' firewall was told; absent again after `release`. */
const secured = new Map<string, Record<string, FirewallRule[]>>()
let tellings: Record<string, FirewallRule[]>[] = []

beforeAll(async () => {
  flow = await startFlow()
  flow.cloud.provider.secure = async ({ deployment }, firewall) => {
    secured.set(deployment, firewall)
    tellings.push(firewall)
  }
  flow.cloud.provider.release = async ({ deployment }) => void secured.delete(deployment)
})
afterAll(() => flow?.stop())

const idOf = async (name: string) =>
  (await flow.store.deployments.getByName(flow.database.tenantId, name))?.id ?? 'none'

/** What a machine's firewall file held last: `db-1` -> JSON. */
async function programs(name: string, act: () => Promise<{ status: string; error: ErrorRecord | null }>) {
  flow.reach.programs.length = 0
  const operation = await act()
  expect(operation.error).toBeNull()
  expect(operation.status, name).toBe('succeeded')
  return [...flow.reach.programs]
}

test('a cloud is told before the first machine, and has nothing left after the last', async () => {
  let known: unknown
  flow.cloud.hook = async (call, phase) => {
    if (call === 'createMachine' && phase === 'before') known ??= secured.get(await idOf('told'))
  }
  await programs('told', () => flow.deployed('told', appRelease({ firewall: true })))
  flow.cloud.hook = undefined
  const everywhere = [{ network: '0.0.0.0/0' }, { network: '::/0' }]
  const ssh = { protocol: 'tcp', from: 22, to: 22, sources: everywhere }
  expect(known).toEqual({
    web: [ssh, { protocol: 'tcp', from: 8080, to: 8080, sources: [{ component: 'loadBalancer' }] }],
    db: [ssh, { protocol: 'tcp', from: 5432, to: 5432, sources: [{ component: 'web' }] }],
    loadBalancer: [ssh],
  })
  await programs('told', async () => flow.finished(await flow.submit('told', 'destroy')))
  expect([...secured.keys()]).toEqual([])
})

test('while a release takes the place of another, traffic of both goes on', async () => {
  const release = appRelease({ firewall: true })
  await programs('both', () => flow.deployed('both', release))
  tellings = []
  const components = release.blueprint.components.map((one) => (one.name === 'web' ? { ...one, port: 9090 } : one))
  const next = { ...release, blueprint: { ...release.blueprint, components } }
  await programs('both', () => flow.deployed('both', next))
  expect(tellings.map(({ web = [] }) => web.map(({ from }) => from))).toEqual([
    [22, 8080, 9090],
    [22, 9090],
  ])
})

test('a failed first deploy leaves nothing at the cloud', async () => {
  flow.reach.hook = ({ name }) => (name === 'web-1' ? 'package:nodejs' : undefined)
  const failed = await flow.deployed('failing', appRelease({ firewall: true }))
  flow.reach.hook = undefined
  expect(failed.status).toBe('failed')
  expect(secured.has(failed.deploymentId)).toBe(false)
})

test('a cloud that refuses it is told in its words, before anything is made', async () => {
  const { secure } = flow.cloud.provider
  flow.cloud.provider.secure = async () => {
    throw new KitbagError('provider-failed', 'not authorized: CreateSecurityGroup')
  }
  const refused = await flow.deployed('refused', appRelease({ firewall: true }))
  Object.assign(flow.cloud.provider, { secure })
  expect([refused.status, refused.error?.message]).toEqual(['failed', 'not authorized: CreateSecurityGroup'])
  expect(await flow.machines('refused')).toEqual({ rows: [], cloud: [] })
})

test('a new machine is let in by those that it uses before it comes, and nothing leaves traffic for it', async () => {
  await programs('grows', () => flow.deployed('grows', appRelease({ firewall: true, balancers: 1 })))
  const ran = await programs('grows', () => flow.deployed('grows', appRelease({ firewall: true, balancers: 2 })))
  const names = ran.map((program) => program.split(':')[0])
  const admitted = ran.indexOf('web-1: file:/etc/firewall')
  const configured = ran.findIndex((program) => /^load-balancer-2: .*backends/.test(program))
  expect(admitted).toBeGreaterThanOrEqual(0)
  expect(configured).toBeGreaterThan(admitted)
  // Its firewall alone, and once: it is not configured anew.
  expect(names.filter((name) => name === 'web-1')).toEqual(['web-1'])
  expect(names.filter((name) => name === 'web-2')).toEqual(['web-2'])
  const again = await programs('grows', () => flow.deployed('grows', appRelease({ firewall: true, balancers: 2 })))
  expect(again).toEqual([])
})

test('one that goes is let in until it is gone', async () => {
  await programs('shrinks', () => flow.deployed('shrinks', appRelease({ firewall: true, balancers: 2 })))
  const operation = await flow.deployed('shrinks', appRelease({ firewall: true, balancers: 1 }))
  expect(operation.status).toBe('succeeded')
  const units = await flow.units(operation)
  const gone = units.indexOf('main load-balancer-2/destroy done')
  for (const web of ['web-1', 'web-2']) {
    expect(units.indexOf(`main ${web}/configure/firewall-after done`)).toBeGreaterThan(gone)
    expect(units).not.toContain(`main ${web}/leave/loadBalancer done`)
  }
})

test('a machine that is away fails no change of who may come to it, and is brought level when it is back', async () => {
  await programs('away', () => flow.deployed('away', appRelease({ firewall: true, balancers: 1 })))
  flow.reach.silent.add('web-2')
  const grown = await flow.deployed('away', appRelease({ firewall: true, balancers: 2 }))
  expect([grown.status, grown.error]).toEqual(['succeeded', null])
  const message = 'it does not answer; its firewall is changed when it does'
  expect(grown.result?.behind).toEqual([{ machine: 'web-2', message }])
  const events = await flow.store.operations.events(grown.id, 0, 1_000)
  expect(events.map(({ data }) => data.message)).toContain(
    'web-2 is away: who may come to it changes when it is back, or replaced',
  )
  flow.reach.programs.length = 0
  flow.reach.silent.delete('web-2')
  await until(() => flow.reach.programs.includes('web-2: file:/etc/firewall'))
  const again = await programs('away', () => flow.deployed('away', appRelease({ firewall: true, balancers: 2 })))
  expect(again).toEqual([])
})

test('a machine that is away fails a change of its own configuration', async () => {
  await programs('own', () => flow.deployed('own', appRelease({ firewall: true })))
  flow.reach.silent.add('web-2')
  const failed = await flow.deployed('own', appRelease({ firewall: true, version: '2' }))
  flow.reach.silent.delete('web-2')
  expect([failed.status, failed.error?.code, failed.error?.machine]).toEqual(['failed', 'machine-unreachable', 'web-2'])
})

test('a deployment of an older Kitbag gets it with its next deploy, and is told why', async () => {
  await programs('older', () => flow.deployed('older', appRelease()))
  const scaled = await programs('older', async () =>
    flow.finished(await flow.submit('older', 'scale', { scale: { web: 3 } })),
  )
  expect(scaled.join(' ')).not.toContain('/etc/firewall')
  const operation = await flow.deployed('older', appRelease({ firewall: true }))
  expect(operation.status).toBe('succeeded')
  const plan = await flow.store.operations.plan(operation.id, 'main')
  const reasons = plan?.changes
    .filter(({ action }) => action === 'update')
    .map(({ machine, reasons: [first] }) => [machine, first?.message])
  expect(reasons).toContainEqual(['db-1', 'firewall on machines of db comes'])
})
