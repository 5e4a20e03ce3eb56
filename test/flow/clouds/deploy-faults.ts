import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import type { OperationRecord } from '../../../src/model/operation.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'

/** A test cloud, as a deployment's operator has it and as it is broken. */
export interface CloudUnderFaults {
  record: { provider: string; settings: JsonObject; credentials: JsonObject }
  /** The same account with credentials that nobody knows. */
  wrong: JsonObject
  /** Names of Kitbag's machines, read from the cloud itself. */
  machines(): Promise<string[]>
  /** Everything of Kitbag's that is there, machines included. */
  ours(): Promise<string[]>
  /** Calls so far, looks included. */
  calls(): number
  /** What somebody else has there. */
  strangers(): Promise<unknown>
  /** A tenth of all calls takes effect and says nothing; some other answers are HTML, cut short, or redirects. */
  shake(): void
  /** There is room for six more machines. */
  limit(): void
  /** A zone of the cloud has no room. Gives how many machines are there. */
  fillZone(): Promise<() => Promise<number>>
  /** That machine is lost before anybody can log in. */
  neverBoots(name: string): void
  /** Somebody removes it at the cloud. */
  vanish(name: string): Promise<void>
  /** Somebody puts something of theirs into what a deployment's machines share. Gives how they take it away. */
  occupy(): Promise<() => Promise<void>>
  /** The credentials end once so many machines were asked for. */
  expireAfter(machines: number): void
  /** As its owner mends that: the record's new credentials. */
  renew(): JsonObject
  /** What the deploy says then. */
  expired: RegExp
  /** Permissions whose lack keeps machines from being made, and the one without which none can be destroyed. */
  permissions: { create: string[]; destroy: string }
  deny(permission: string): void
  /** All faults are over. */
  heal(): void
  close(): Promise<void>
}

const all = ['db-1', 'load-balancer-1', ...Array.from({ length: 8 }, (_, i) => `web-${i + 1}`)]
const ten = () => appRelease({ web: 8 })
const small = () => appRelease({ web: 1, db: false })

/** Whole deploys of ten machines through whatever goes wrong at a cloud: exact counts, nothing of ours left, nothing of others' touched. */
export function testDeploysUnderFaults(
  kind: string,
  start: () => Promise<CloudUnderFaults>,
  optOuts: { occupied?: string } = {},
): void {
  describe(`${kind}: whole deploys, and what can go wrong at the cloud`, () => {
    let flow: Flow
    let cloud: CloudUnderFaults
    let provider: Provider
    let before: unknown
    let number = 0
    let name = ''

    beforeAll(async () => {
      ;[flow, cloud] = await Promise.all([startFlow({ timings: { boot: 15_000 } }), start()])
      before = await cloud.strangers()
    })
    afterAll(async () => {
      await flow?.stop()
      await cloud?.close()
    })
    afterEach(async () => {
      cloud.heal()
      flow.reach.hook = undefined
      flow.reach.silent.clear()
      await destroyed()
      expect(await cloud.ours()).toEqual([])
      expect(await flow.store.machines.listAll()).toEqual([])
      const { id: installation } = await flow.store.installation.get()
      expect(await provider.residue?.(installation)).toEqual([])
      expect(await cloud.strangers()).toEqual(before)
    })

    const connect = async (credentials = cloud.record.credentials) => {
      provider = await flow.useCloud({ ...cloud.record, credentials })
      name = `shop-${++number}`
    }
    const deploy = (spec = ten()) => flow.deployed(name, spec)
    const destroy = async () => flow.finished(await flow.submit(name, 'destroy'))
    async function destroyed(): Promise<void> {
      if (!(await flow.store.deployments.getByName(flow.parts.tenantId, name))) return
      expect(await destroy()).toMatchObject({ status: 'succeeded', error: null })
    }
    const rows = async () => (await flow.machines(name)).rows
    /** Failed, with everything of it away again. */
    const undone = async (operation: OperationRecord, error: object) => {
      expect(operation).toMatchObject({ status: 'failed', error, result: { undone: true } })
      expect(operation.error?.message).toMatch(/; what it had made was undone$/)
      expect(await cloud.ours()).toEqual([])
      expect(await rows()).toEqual([])
    }

    test('a tenth of all calls is carried out and not answered, others are answered by no cloud: ten machines, and all go', async () => {
      await connect()
      cloud.shake()
      expect(await deploy()).toMatchObject({ status: 'succeeded', error: null })
      expect(await rows()).toEqual(all)
      expect(await cloud.machines()).toEqual(all)
      await destroyed()
      expect(await cloud.ours()).toEqual([])
    })

    test('ten machines that are as they shall be: the same deploy again, and a check, ask the cloud nothing', async () => {
      await connect()
      expect(await deploy()).toMatchObject({ status: 'succeeded' })
      const calls = cloud.calls()
      expect(await deploy()).toMatchObject({ status: 'succeeded', result: { units: 0 } })
      expect(await flow.finished(await flow.submit(name, 'check'))).toMatchObject({ status: 'succeeded' })
      expect(cloud.calls() - calls).toBe(0)
    })

    test('the quota ends at machine 7 of 10: said, and the six are undone', async () => {
      await connect()
      cloud.limit()
      await undone(await deploy(), { code: 'capacity-exceeded', fix: /quota|Quotas/i })
    })

    test('a zone without capacity: ten machines in the others', async () => {
      await connect()
      const there = await cloud.fillZone()
      expect(await deploy()).toMatchObject({ status: 'succeeded', error: null })
      expect(await cloud.machines()).toEqual(all)
      expect(await there()).toBe(0)
    })

    test('a machine that never boots: named, with what its console says, and all ten are undone', async () => {
      await connect()
      cloud.neverBoots('web-3')
      flow.reach.silent.add('web-3')
      const error = { code: 'provider-failed', machine: 'web-3', message: /^web-3 did not come up: /, output: /\S/ }
      await undone(await deploy(), error)
    })

    test('a machine that vanishes before it answers: named at once, and the other nine are undone', async () => {
      await connect()
      flow.reach.silent.add('web-3')
      const deploying = deploy()
      // Once Kitbag knows it: what is lost before that is not the machine but its making.
      const known = async () => (await flow.store.machines.listAll()).find((one) => one.name === 'web-3')?.providerId
      await expect.poll(known).toBeTruthy()
      await cloud.vanish('web-3')
      const error = { code: 'provider-failed', machine: 'web-3', message: /^web-3 did not come up: it d/ }
      await undone(await deploying, error)
    })

    test('a machine that vanishes while it is set up: the other nine are undone', async () => {
      await connect()
      flow.reach.hook = async (machine) => {
        if (machine.name !== 'web-3' || flow.reach.silent.has('web-3')) return
        flow.reach.silent.add('web-3')
        await cloud.vanish('web-3')
        throw new KitbagError('machine-unreachable', 'the connection was cut', { retryable: true })
      }
      const operation = await deploy()
      await undone(operation, { machine: 'web-3' })
    })

    if (optOuts.occupied === undefined)
      test('what somebody else uses is not removed: said, and done by asking again', async () => {
        await connect()
        expect(await deploy(small())).toMatchObject({ status: 'succeeded' })
        const leave = await cloud.occupy()
        expect(await destroy()).toMatchObject({
          status: 'failed',
          error: {
            code: 'provider-failed',
            message: /in use by .*theirs.*; what is left is destroyed by asking again$/,
          },
        })
        expect(await cloud.machines()).toEqual([])
        await leave()
        await destroyed()
      })

    test('the credentials end in the middle: said, and with new ones the next deploy goes on and nothing is left behind', async () => {
      await connect()
      cloud.expireAfter(5)
      const failed = await deploy()
      expect(failed).toMatchObject({
        status: 'failed',
        error: { code: 'provider-failed', message: cloud.expired, fix: /kitbag cloud set NAME --credentials/ },
        result: { undone: false },
      })
      // Each that may be there has a row, so that it is found again.
      const left = await cloud.machines()
      expect(left.length).toBeGreaterThan(0)
      expect(await rows()).toEqual(expect.arrayContaining(left))
      const cloudName = `${kind}-${number}`
      const { settings } = cloud.record
      await flow.store.clouds.update(flow.parts.tenantId, cloudName, { settings, credentials: cloud.renew() })
      // Until this process has seen the new ones.
      const { id = '' } = (await flow.store.clouds.getByName(flow.parts.tenantId, cloudName)) ?? {}
      await expect.poll(async () => (await flow.parts.clouds.provider(id)) !== provider).toBe(true)
      provider = await flow.parts.clouds.provider(id)
      expect(await deploy()).toMatchObject({ status: 'succeeded', error: null })
      expect(await cloud.machines()).toHaveLength(10)
      expect(await rows()).toEqual(await cloud.machines())
    })

    test('wrong credentials: said before anything is made, and the deployment can be forgotten with them', async () => {
      await connect(cloud.wrong)
      const operation = await deploy(small())
      const fix = /kitbag cloud set NAME --credentials/
      expect(operation).toMatchObject({ status: 'failed', error: { code: 'provider-failed', fix }, result: null })
      expect(await cloud.ours()).toEqual([])
      await destroyed()
      await connect()
    })

    test('a permission that is lacking is named, and what was made before it was needed is away again', async () => {
      for (const permission of cloud.permissions.create) {
        await connect()
        cloud.deny(permission)
        const { status, error } = await deploy(small())
        expect([permission, status, error?.message]).toEqual([
          permission,
          'failed',
          expect.stringContaining(permission),
        ])
        expect([permission, await cloud.ours()]).toEqual([permission, []])
        cloud.heal()
        await destroyed()
      }
    })

    test('without the permission to destroy: named, nothing is forgotten, and done when it is there', async () => {
      await connect()
      expect(await deploy(small())).toMatchObject({ status: 'succeeded' })
      const { destroy: permission } = cloud.permissions
      cloud.deny(permission)
      const message = expect.stringContaining(permission)
      expect(await destroy()).toMatchObject({ status: 'failed', error: { code: 'provider-failed', message } })
      expect(await rows()).toEqual(['load-balancer-1', 'web-1'])
      expect(await cloud.machines()).toEqual(['load-balancer-1', 'web-1'])
      cloud.heal()
      await destroyed()
    })
  })
}
