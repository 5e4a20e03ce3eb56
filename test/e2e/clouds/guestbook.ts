import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import type { Guest } from '../../support/guest.ts'
import type { Installation } from '../../support/installation.ts'
import { until } from '../../support/until.ts'
import { everyPort } from '../firewall/scan.ts'
import { noMachines } from '../providers/local-box.ts'
import { expectation, type Moment } from './expectation.ts'
import { observe, siteOf } from './observation.ts'

/** A cloud that the guestbook is taken through its life on. */
export interface CloudUnderTest {
  box: Installation
  /** Its name in the installation. */
  cloud: string
  /** Name of the one that the database goes to; absent: the same. */
  databaseCloud?: string
  /** The machine at an address, to be looked out of and to be hurt. */
  guest(address: string): Promise<Guest>
  /** Component -> TCP ports that the cloud's own firewall lets anyone come to, where it has one. */
  firewall?(): Promise<Record<string, number[]>>
  /** What else is to be so of this cloud once all is deployed. */
  deployed?(): Promise<void>
  /** What else is to be so, or to be done, after the deployment was destroyed. */
  destroyed?(): Promise<void>
  /** What is left at the cloud, and on the box, of a deployment that was destroyed. */
  residue(): Promise<string[]>
}

/** Takes what is to be done at the end: the newest first, whatever happened. */
export type AtEnd = (end: () => Promise<unknown>) => void

const name = 'guestbook'

/** Ports that something of the application or of the toolkit listens on, on some machine. */
const knownPorts = '22,53,80,3903,5432,8080,8081,8405,9090,9093,9094,9096,9100,9187,9998,10000'

/** The whole life of one blueprint on a cloud; at each moment what can be observed is what it is on every other cloud. */
export function testGuestbook(where: string, start: (atEnd: AtEnd) => Promise<CloudUnderTest>): void {
  describe.skipIf(noMachines)(`the guestbook on ${where}${noMachines ? ` (${noMachines})` : ''}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kitbag-guestbook-'))
    const file = join(folder, 'blueprint.yaml')
    const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
    let cloud: CloudUnderTest

    beforeAll(async () => {
      cpSync(join(packageRoot(), 'examples/guestbook/app'), join(folder, 'app'), { recursive: true })
      cpSync(fileURLToPath(new URL('guestbook.yaml', import.meta.url)), file)
      cloud = await start((end) => ends.push(end))
    })

    afterAll(async () => {
      const failures: unknown[] = []
      for (const end of ends.reverse()) await end().catch((error) => failures.push(error))
      expect(failures).toEqual([])
    })

    const deploy = async () => {
      const parameters = { databaseCloud: cloud.databaseCloud ?? cloud.cloud }
      await done(await cloud.box.deploy(name, file, { cloud: cloud.cloud, parameters }))
    }
    const submit = async (body: Record<string, unknown>) => done(await cloud.box.submit(name, body))

    async function done(operation: Operation): Promise<void> {
      const { status, error } = await cloud.box.finished(operation)
      expect([status, error]).toEqual(['succeeded', null])
    }

    async function addressOf(machine: string): Promise<string> {
      const { machines } = await cloud.box.show(name)
      return machines.find((one) => one.name === machine)?.address ?? ''
    }

    async function expectMoment(moment: Moment, ports = knownPorts): Promise<void> {
      const expected = expectation(moment)
      expect(await observe(cloud, name, { expected, ports })).toEqual(expected)
      if (!cloud.firewall) return
      const { machines } = await cloud.box.show(name)
      const open = machines.map((one) => [one.component, expected.openToAnyone[one.name]])
      expect(await cloud.firewall()).toEqual(Object.fromEntries(open))
    }

    test('is deployed', async () => {
      await deploy()
      const site = await siteOf(await addressOf('dns-1'))
      const body = JSON.stringify({ name: 'Ada', message: '<b>kept</b>' })
      expect((await fetch(`${site}/entries`, { method: 'POST', body })).status).toBe(201)
      await expectMoment({ version: 'guestbook-1', web: ['web-1'] }, everyPort)
      await cloud.deployed?.()
    })

    test('is updated by a changed line, in place', async () => {
      const places = async () => (await cloud.box.show(name)).machines.map((one) => `${one.name} ${one.address}`).sort()
      const before = await places()
      const version = join(folder, 'app/release.js')
      writeFileSync(version, readFileSync(version, 'utf8').replace('guestbook-1', 'guestbook-2'))
      await deploy()
      expect(await places()).toEqual(before)
      await expectMoment({ version: 'guestbook-2', web: ['web-1'] })
    })

    test('is scaled out', async () => {
      await submit({ kind: 'scale', scale: { web: 2 } })
      await expectMoment({ version: 'guestbook-2', web: ['web-1', 'web-2'] })
    })

    test('loses a machine, and gets another one in its place', async () => {
      await (await cloud.guest(await addressOf('web-1'))).powerOff()
      const heals = async () => {
        const path = `/v1/operations?deployment=${name}&limit=50`
        const { items } = await cloud.box.client.json<{ items: Operation[] }>('GET', path)
        return items.filter(({ kind }) => kind === 'heal')
      }
      await until(async () => (await heals()).some(({ status }) => status === 'succeeded'), 240_000)
      await expectMoment({ version: 'guestbook-2', web: ['web-2', 'web-3'] }, everyPort)
      expect(await heals()).toHaveLength(1)
    })

    test('goes without a trace', async () => {
      await submit({ kind: 'destroy', allowDataLoss: ['db'] })
      await cloud.destroyed?.()
      const swept = await cloud.box.client.json<Record<string, unknown[]>>('POST', '/v1/sweep', {})
      expect(Object.values(swept).flat()).toEqual([])
      expect(await cloud.residue()).toEqual([])
    })
  })
}
