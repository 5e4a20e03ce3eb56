import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../../src/model/json.ts'
import type { WatchDecision } from '../../../src/model/watch.ts'
import { certificatesSchema } from '../../../src/toolkit/certificates/schema.ts'
import { certificates } from '../../../src/toolkit/certificates/service.ts'
import type { WatchContext } from '../../../src/toolkit/contract.ts'
import { type Pebble, startPebble } from '../../support/pebble.ts'
import { startTestStore, type TestStore } from '../../support/test-store.ts'

const second = 1000
const minute = 60 * second
/** As it is by default. */
const retry = 2 * minute

let database: TestStore
let pebble: Pebble

beforeAll(async () => {
  ;[database, pebble] = await Promise.all([startTestStore(), startPebble()])
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterAll(async () => {
  vi.useRealTimers()
  await Promise.all([database?.stop(), pebble?.close()])
})

/** The service beside its rows, with a clock that goes as fast as it can: a look every 30 s, and a push for what it asks for. */
async function running() {
  const { store, tenantId } = database
  const deployment = await store.deployments.ensure(tenantId, 'shop')
  const { directory, trust } = pebble
  const section = {
    issuers: [{ name: 'pebble', acme: { directory, trust } }],
    certificates: [{ name: 'web', hosts: ['shop.example'], issuer: 'pebble' }],
  }
  const spec = JSON.parse(JSON.stringify(certificatesSchema.parse(section)))
  const made = { deployment: { id: deployment.id, tenantId, name: 'shop' }, certificates: store.certificates }
  const { watch, values } = certificates
  if (!watch || !values) throw new Error('certificates have no watch')
  const context = () => ({ service: 'certificates', spec, now: new Date(), ...made })
  const signal = new AbortController().signal
  let state: JsonObject = {}
  const decisions: WatchDecision[] = []
  const tries: number[] = []
  let pushes = 0

  async function push(): Promise<void> {
    tries.push(Date.now())
    const asked = { owner: `op_${pushes++}`, secret: async () => '', show: async () => {}, tell: async () => {} }
    await values?.refresh({ ...context(), ...asked, retry, signal })
  }
  await values.ensure(context())
  await push()
  return {
    decisions,
    tries,
    /** What machines are configured with, and a word that changes with it. */
    served: async () => ({
      version: (await values.versions(context()))['web.pem'],
      pem: (await values.read(context()))['web.pem']?.value ?? '',
    }),
    row: async () => (await store.certificates.list(deployment.id))[0],
    /** The clock goes on for so long, or until a look has nothing to do any more. */
    async pass(milliseconds: number, enough: () => Promise<boolean> = async () => false): Promise<void> {
      for (const end = Date.now() + milliseconds; Date.now() < end && !(await enough()); ) {
        vi.setSystemTime(Date.now() + 30 * second)
        const looked = { service: 'certificates', spec, state, made, operation: null, now: Date.now() }
        const outcome = await watch.look({
          ...looked,
          submitted: async () => undefined,
        } as unknown as WatchContext<unknown> as never)
        state = outcome?.state ?? state
        decisions.push(...(outcome?.decisions ?? []))
        if (outcome?.operation) await push()
      }
    },
  }
}

test('an authority that is down for an hour: renewal is tried with bounded pauses and told, the old certificate stays until the new one is there', async () => {
  const service = await running()
  const before = await service.served()
  expect(new X509Certificate(before.pem).issuer).toContain('Pebble')
  const due = (await service.row())?.nextTry?.getTime() ?? 0

  await pebble.stop()
  vi.setSystemTime(due)
  service.tries.length = 0
  await service.pass(60 * minute)
  const pauses = service.tries.slice(1).map((at, i) => (at - (service.tries[i] ?? 0)) / minute)
  expect(pauses.map(Math.round)).toEqual([2, 4, 8, 16])
  expect(await service.served()).toEqual(before)
  expect(service.decisions.map(({ level }) => level)).toEqual(['warn'])
  expect(service.decisions[0]?.message).toMatch(/pebble did not give the certificate web: .*ECONNREFUSED/)

  // Four hours more: never longer than an hour, and nobody is told the same again.
  service.tries.length = 0
  await service.pass(240 * minute)
  expect(service.tries.length).toBeGreaterThanOrEqual(3)
  expect(service.decisions).toHaveLength(1)
  expect(await service.served()).toEqual(before)

  await pebble.start()
  const back = Date.now()
  await service.pass(120 * minute, async () => (await service.served()).version !== before.version)
  expect(Date.now() - back).toBeLessThanOrEqual(61 * minute)
  await service.pass(minute)
  expect((await service.row())?.failures).toBe(0)
  expect(service.decisions.at(-1)).toMatchObject({ level: 'info' })
})

test('one that stays away is told as an alert when half of the time for renewals is over', async () => {
  const service = await running()
  const { notBefore, notAfter } = (await service.row()) ?? { notBefore: new Date(), notAfter: new Date() }
  await pebble.stop()
  vi.setSystemTime(notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 6 - minute)
  await service.pass(5 * minute)
  expect(service.decisions.at(-1)).toMatchObject({
    level: 'alert',
    message: expect.stringMatching(/the certificate web ends at .*, not renewed: .*ECONNREFUSED/),
  })
})
