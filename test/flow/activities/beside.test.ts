import { Client } from '@temporalio/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runDispatcher } from '../../../src/activities/dispatcher.ts'
import { createLog } from '../../../src/lib/log.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})

afterAll(() => flow?.stop())

beforeEach(() => flow.reset())

/** A gate that something waits at until it is opened. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let reach = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return {
    open,
    reached,
    wait: () => {
      reach()
      return opened
    },
  }
}

async function override(name: string, weight: number): Promise<void> {
  const deployment = await flow.store.deployments.getByName(flow.parts.tenantId, name)
  await flow.store.overrides.set(deployment?.id ?? '', 'loadBalancer', { 'web-1': { weight } })
}

describe('a push beside a deploy', () => {
  test('does not put the old release back on a machine that the deploy has configured', async () => {
    await flow.deployed('beside', appRelease())
    const joining = gate()
    flow.balancer.hook = (call) => (call === 'join web-3' ? joining.wait() : undefined)
    const deploy = await flow.deploy('beside', appRelease({ web: 3 }))
    await joining.reached
    await override('beside', 7)
    const push = await flow.finished(await flow.submit('beside', 'push', { service: 'loadBalancer' }))
    expect(push).toMatchObject({ status: 'succeeded', error: null })
    joining.open()
    expect((await flow.finished(deploy)).status).toBe('succeeded')
    expect((await flow.deployed('beside', appRelease({ web: 3 }))).result?.units).toBe(0)
  })

  test('whoever configures last puts the newest facts in force', async () => {
    await flow.deployed('crossed', appRelease())
    const configuring = gate()
    let programs = 0
    flow.reach.hook = ({ name }) => {
      if (name === 'load-balancer-1' && ++programs === 1) return configuring.wait()
    }
    const deploy = await flow.deploy('crossed', appRelease({ web: 3 }))
    await configuring.reached
    await override('crossed', 9)
    expect((await flow.finished(await flow.submit('crossed', 'push', { service: 'loadBalancer' }))).status).toBe(
      'succeeded',
    )
    configuring.open()
    expect((await flow.finished(deploy)).status).toBe('succeeded')
    expect(programs).toBe(3)
    expect((await flow.deployed('crossed', appRelease({ web: 3 }))).result?.units).toBe(0)
  })
})

describe('health', () => {
  const health = { http: '/healthz', interval: 20, timeout: 1_000, grace: 400 }

  test('a machine counts as ready once its check passes', async () => {
    let asked = 0
    flow.reach.http = () => (++asked > 3 ? 200 : asked > 1 ? 503 : undefined)
    const operation = await flow.deployed('healthy', appRelease({ db: false, web: 1, health }))
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect(asked).toBeGreaterThan(3)
  })

  test('one that never does fails with its last answer and its last words', async () => {
    flow.reach.http = () => 500
    flow.reach.journal = 'Error: cannot find module\n'
    const operation = await flow.deployed('ill', appRelease({ db: false, web: 1, health }))
    expect(operation).toMatchObject({
      status: 'failed',
      error: { code: 'health-failed', machine: 'web-1', output: 'Error: cannot find module' },
    })
    expect(operation.error?.message).toContain('GET /healthz answered 500')
    expect(await flow.machines('ill')).toEqual({ rows: [], cloud: [] })
  })
})

describe('rows and workflows', () => {
  test('an operation whose workflow is gone begins anew and goes on where it was', async () => {
    const installing = gate()
    flow.reach.hook = ({ name }) => (name === 'web-1' ? installing.wait() : undefined)
    const operation = await flow.deploy('orphaned', appRelease({ db: false }))
    await installing.reached
    await flow.connection.client.workflow.getHandle(operation.id).terminate('lost')
    const ending = new AbortController()
    const dispatching = runDispatcher({
      store: flow.store,
      client: flow.connection.client,
      log: createLog({ level: 'error' }),
      signal: ending.signal,
      timings: { idle: 50, audit: 100 },
    })
    installing.open()
    expect(await flow.finished(operation)).toMatchObject({ status: 'succeeded', error: null })
    ending.abort()
    await dispatching
    expect(await flow.machines('orphaned')).toEqual({
      rows: ['load-balancer-1', 'web-1', 'web-2'],
      cloud: ['load-balancer-1', 'web-1', 'web-2'],
    })
  })

  test('an operation whose workflow somebody made unreadable begins anew', async () => {
    const installing = gate()
    flow.reach.hook = ({ name }) => (name === 'web-1' ? installing.wait() : undefined)
    const operation = await flow.deploy('poisoned', appRelease({ db: false }))
    await installing.reached
    // From outside, without the key: the worker refuses it, and with it all that comes after.
    const stranger = new Client({ connection: flow.connection.connection, namespace: flow.temporal.namespace })
    await stranger.workflow.getHandle(operation.id).signal('anything', 'unencrypted')
    const ending = new AbortController()
    const dispatching = runDispatcher({
      store: flow.store,
      client: flow.connection.client,
      log: createLog({ level: 'error' }),
      signal: ending.signal,
      timings: { idle: 50, audit: 100 },
    })
    installing.open()
    try {
      expect(await flow.finished(operation)).toMatchObject({ status: 'succeeded', error: null })
    } finally {
      ending.abort()
      await dispatching
    }
    expect((await flow.machines('poisoned')).cloud).toEqual(['load-balancer-1', 'web-1', 'web-2'])
  })

  test('a workflow of an operation that is over touches nothing', async () => {
    const operation = await flow.deployed('over', appRelease({ db: false }))
    const { made } = flow.cloud
    const { client } = flow.connection
    const args = [{ operationId: operation.id }]
    await client.workflow.execute('operation', { workflowId: `${operation.id}-again`, taskQueue: 'kitbag', args })
    expect(flow.cloud.made).toBe(made)
  })

  test('an operation cancelled while it waits for its turn never starts', async () => {
    const installing = gate()
    flow.reach.hook = ({ name }) => (name === 'web-1' ? installing.wait() : undefined)
    const first = await flow.deploy('patient', appRelease({ db: false }))
    await installing.reached
    const second = await flow.deploy('patient', appRelease({ db: false, web: 5 }))
    expect((await flow.store.operations.cancel(second.id))?.status).toBe('cancelled')
    installing.open()
    expect((await flow.finished(first)).status).toBe('succeeded')
    expect((await flow.machines('patient')).rows).toHaveLength(3)
  })
})

describe('clouds', () => {
  test('a sweep names machines that nobody knows, and removes them when told to', async () => {
    await flow.deployed('swept', appRelease({ db: false }))
    const { id: installation, tenantId } = await flow.store.installation.get()
    const identity = (machine: string, owner = installation) => ({
      token: machine,
      tags: { installation: owner, deployment: 'dep_gone', machine },
    })
    const request = { name: 'stray', spec: { size: '', image: '', requirements: { cpu: 1, memory: 1, image: '' } } }
    const keys = { hostKey: { privateKey: '', publicKey: '' }, authorizedKeys: [], component: 'web' }
    await flow.cloud.provider.createMachine({ ...request, ...keys }, identity('mac_stray'))
    await flow.cloud.provider.createMachine(
      { ...request, ...keys, name: 'foreign' },
      identity('mac_foreign', 'ins_other'),
    )
    const found = await flow.parts.clouds.sweep({ remove: false, tenantId })
    expect(found.machines).toMatchObject([{ name: 'stray', cloud: 'home', deployment: 'dep_gone', removed: false }])
    await flow.parts.clouds.sweep({ remove: true, tenantId })
    expect((await flow.parts.clouds.sweep({ remove: false, tenantId })).machines).toEqual([])
    expect([...flow.cloud.machines.values()].map(({ name }) => name)).toContain('foreign')
    expect((await flow.deployed('swept', appRelease({ db: false }))).result?.units).toBe(0)
  })

  test('an unknown provider names the nearest; wrong settings name their path', async () => {
    const { clouds } = flow.parts
    await expect(clouds.validate('locl', {}, {})).rejects.toMatchObject({
      code: 'invalid-request',
      problems: [{ path: 'provider', nearest: 'local' }],
    })
    await expect(clouds.validate('fake', { latency: -7 }, {})).rejects.toMatchObject({
      problems: [{ path: 'settings.latency' }],
    })
    await expect(clouds.validate('fake', {}, {})).resolves.toMatchObject({ settings: { latency: 0 } })
  })
})

describe('secrets', () => {
  test('stand in no event, unit or result of an operation', async () => {
    const operation = await flow.deployed('discreet', appRelease())
    const secret = await flow.store.secrets.get(operation.deploymentId, 'db.password', 1)
    expect(secret).toMatch(/.{16}/)
    const events = await flow.store.operations.events(operation.id, 0, 1_000)
    const units = await flow.store.operations.units(operation.id)
    expect(JSON.stringify([events, units, operation])).not.toContain(secret)
    expect(events.some(({ type }) => type === 'resource')).toBe(true)
  })

  test('not even when a failing command prints them', async () => {
    flow.reach.hook = async ({ name }) => (name === 'web-2' ? 'package:nodejs' : undefined)
    const deployment = await flow.store.deployments.ensure(flow.parts.tenantId, 'shouting')
    await flow.store.secrets.ensureGenerated(deployment.id, 'db.password')
    const secret = (await flow.store.secrets.get(deployment.id, 'db.password', 1)) ?? ''
    flow.reach.failureOutput = `login failed for ${secret}`
    const operation = await flow.deployed('shouting', appRelease())
    flow.reach.failureOutput = undefined
    expect(operation.error?.output).toBe('login failed for [secret]')
    const told = [
      await flow.store.operations.events(operation.id, 0, 1_000),
      await flow.store.operations.units(operation.id),
    ]
    expect(JSON.stringify(told)).not.toContain(secret)
  })
})
