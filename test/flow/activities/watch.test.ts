import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { watchWorkflowId } from '../../../src/model/workflow-messages.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'
import { type Watchful, watchful, watchfulSection } from '../../support/watchful.ts'

let flow: Flow
let watching: Watchful

beforeAll(async () => {
  watching = watchful()
  flow = await startFlow({ services: { watchful: watching.service } })
})
afterAll(() => flow?.stop())
beforeEach(() => {
  watching.hook = undefined
})

const watched = appRelease({ web: 1, db: false, services: [watchfulSection] })

async function idOf(name: string): Promise<string> {
  return (await flow.store.deployments.getByName(flow.parts.tenantId, name))?.id ?? ''
}

/** Numbers of the looks that were recorded, oldest first. */
async function looks(name: string): Promise<number[]> {
  const decisions = await flow.store.watches.decisions(await idOf(name), 'watchful', { limit: 500 })
  return decisions.map(({ data }) => Number(data.n)).reverse()
}

async function isWatched(id: string): Promise<boolean> {
  const { status } = await flow.temporal.client.workflow.getHandle(watchWorkflowId(id)).describe()
  return status.name === 'RUNNING'
}

describe('a service that watches', () => {
  test('looks again and again, one look at a time, each with what the last one kept; a destroy ends it', async () => {
    await flow.deployed('again', watched)
    await until(async () => (await looks('again')).length >= 5)
    const found = await looks('again')
    expect(found).toEqual(found.map((_, i) => i + 1))
    expect(watching.looking.most).toBe(1)
    const id = await idOf('again')
    await flow.finished(await flow.submit('again', 'destroy'))
    await until(async () => !(await isWatched(id)))
  })

  test('a release without it ends the watch, and one with it begins it again', async () => {
    await flow.deployed('off', watched)
    const id = await idOf('off')
    await until(async () => (await looks('off')).length >= 2)
    await flow.deployed('off', appRelease({ web: 1, db: false }))
    await until(async () => !(await isWatched(id)))
    const before = (await looks('off')).length
    await flow.deployed('off', appRelease({ web: 1, db: false, version: '2', services: [watchfulSection] }))
    await until(async () => (await looks('off')).length >= before + 2)
  })

  test('sees machines, and the operation that it submitted: once, however often it asks', async () => {
    const seen: string[] = []
    watching.hook = async ({ deployment, rows, components, operation, submitted }) => {
      if (deployment.name !== 'grows') return
      const own = await submitted('grow')
      const web = components.find(({ name }) => name === 'web')?.replicas
      seen.push(`${rows.filter(({ component }) => component === 'web').length} of ${web} ${own?.status ?? 'none'}`)
      return operation ? {} : { operation: { kind: 'scale', request: { scale: { web: 2 } }, key: 'grow' } }
    }
    await flow.deployed('grows', watched)
    await until(() => seen.includes('2 of 2 succeeded'))
    expect(seen[0]).toBe('1 of 1 none')
    const operations = await flow.store.operations.list(flow.parts.tenantId, { deployment: 'grows' }, { limit: 50 })
    expect(operations.map(({ kind }) => kind)).toEqual(['scale', 'deploy'])
  })

  test('a look that fails does not end the watch', async () => {
    let failures = 0
    watching.hook = ({ deployment }) => {
      if (deployment.name === 'fails' && failures++ < 3) throw new Error('the test says so')
    }
    await flow.deployed('fails', watched)
    await until(async () => (await looks('fails')).length >= 2)
    expect(failures).toBeGreaterThan(3)
  })

  test('one that was superseded can write nothing more: no state, no decision, no operation', async () => {
    watching.hook = undefined
    await flow.deployed('twice', appRelease({ web: 1, db: false }))
    const id = await idOf('twice')
    const { watches, operations } = flow.store
    const old = await watches.begin(id)
    const current = await watches.begin(id)
    const decisions = [{ level: 'info' as const, message: 'm', data: {} }]
    const operation = {
      tenantId: flow.parts.tenantId,
      deploymentId: id,
      deployment: 'twice',
      kind: 'check' as const,
      request: {},
    }
    const outcome = { service: 'watchful', state: { n: 1 }, decisions, operation }
    expect(await watches.record(id, old?.epoch ?? 0, outcome)).toBe(false)
    expect(await watches.state(id, 'watchful')).toEqual({})
    expect(await watches.decisions(id, 'watchful', { limit: 10 })).toEqual([])
    expect(await operations.list(flow.parts.tenantId, { deployment: 'twice' }, { limit: 10 })).toHaveLength(1)
    expect(await watches.record(id, current?.epoch ?? 0, outcome)).toBe(true)
    expect(await watches.state(id, 'watchful')).toEqual({ n: 1 })
  })

  test('of its decisions the last 500 are kept', async () => {
    await flow.deployed('many', appRelease({ web: 1, db: false }))
    const id = await idOf('many')
    const { watches } = flow.store
    const { epoch = 0 } = (await watches.begin(id)) ?? {}
    const decisions = Array.from({ length: 260 }, (_, n) => ({ level: 'info' as const, message: 'm', data: { n } }))
    for (let i = 0; i < 3; i++) await watches.record(id, epoch, { service: 'watchful', decisions })
    expect(await watches.decisions(id, 'watchful', { limit: 1_000 })).toHaveLength(500)
    expect(await watches.decisions(id, 'other', { limit: 1_000 })).toEqual([])
  })
})
