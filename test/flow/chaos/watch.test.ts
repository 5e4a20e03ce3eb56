import { afterAll, beforeAll, expect, test } from 'vitest'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'
import { watchfulSection } from '../../support/watchful.ts'
import { type WorkerUnderFire, workerUnderFire } from './worker-under-fire.ts'

let flow: Flow
const workers: WorkerUnderFire[] = []

beforeAll(async () => {
  flow = await startFlow({ worker: false })
  await flow.store.clouds.remove(flow.parts.tenantId, 'home')
  await flow.useFake({})
  for (let i = 0; i < 2; i++) workers.push(await workerUnderFire(flow))
})

afterAll(async () => {
  for (const worker of workers) await worker.stop()
  await flow?.stop()
})

test('two workers, killed again and again: one of them watches at a time, and goes on where the last one ended', async () => {
  await flow.deployed('shop', appRelease({ web: 1, db: false, services: [watchfulSection] }))
  const id = (await flow.store.deployments.getByName(flow.parts.tenantId, 'shop'))?.id ?? ''
  const looks = async () => {
    const decisions = await flow.store.watches.decisions(id, 'watchful', { limit: 500 })
    return decisions.reverse().map(({ data }) => ({ n: Number(data.n), pid: Number(data.pid) }))
  }
  const last = async () => (await looks()).at(-1)
  await until(async () => (await last()) !== undefined)
  for (let round = 0; round < 2; round++) {
    const before = await last()
    for (const worker of workers) worker.kill()
    const killed = Date.now()
    await until(async () => (await last())?.pid !== before?.pid)
    console.log(`another one watched ${Date.now() - killed} ms after the kill`)
  }
  const found = await looks()
  expect(found.map(({ n }) => n)).toEqual(found.map((_, i) => i + 1))
  const turns = found.filter(({ pid }, i) => pid !== found[i - 1]?.pid)
  expect(turns).toHaveLength(new Set(found.map(({ pid }) => pid)).size)
})
