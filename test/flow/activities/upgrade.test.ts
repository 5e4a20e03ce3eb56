import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ActivityDeps } from '../../../src/activities/deps.ts'
import { secretValues } from '../../../src/activities/phase-inputs.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow?.stop())

test('what an older Kitbag deployed is changed, checked and grows with this Kitbag’s recipes for its services', async () => {
  const { recipes, ...rest } = appRelease()
  const { balancer } = recipes
  if (!balancer) throw new Error('no recipe')
  // The archive of the older recipe is not looked at: it knows nothing of what this Kitbag's planner gives it.
  const older = { ...rest, recipes: { ...recipes, balancer: { ...balancer, digest: 'older' } } }
  expect(await flow.deployed('older', older)).toMatchObject({ status: 'succeeded', error: null })
  const { store, parts } = flow
  const { id = '' } = (await store.deployments.getByName(parts.tenantId, 'older')) ?? {}
  const node = async () => (await store.machines.list(id)).find(({ name }) => name === 'load-balancer-1')
  const digest = (await node())?.installDigest
  await store.machines.update((await node())?.id ?? '', { installDigest: 'of the older recipe' })

  const push = await flow.finished(await flow.submit('older', 'push', { service: 'loadBalancer' }))
  expect(push.status).toBe('succeeded')
  expect(await flow.units(push)).toEqual(['main load-balancer-1/install done', 'main load-balancer-1/configure done'])
  expect((await node())?.installDigest).toBe(digest)
  for (const [kind, request] of [
    ['check', {}],
    ['scale', { scale: { web: 3 } }],
    ['rollback', { release: 1 }],
  ] as const)
    expect(await flow.finished(await flow.submit('older', kind, request))).toMatchObject({ kind, status: 'succeeded' })
})

test('a secret that a service’s recipe has come to need is generated when it is first used, and stays', async () => {
  const { store, parts } = flow
  const { id } = await store.deployments.ensure(parts.tenantId, 'secretive')
  const release = { ...appRelease(), secretVersions: { 'dns.seed': 1 } }
  const values = () => secretValues({ store } as ActivityDeps, id, release)
  const [first, second] = [await values(), await values()]
  expect(first.get('dns.seed')).toMatch(/^[A-Za-z0-9]{40}$/)
  expect(second).toEqual(first)
  const given = { ...release, secretVersions: { MAIL_KEY: 1 } }
  await expect(secretValues({ store } as ActivityDeps, id, given)).rejects.toThrow('the secret MAIL_KEY has no value')
})
