import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blueprint, changedGuestbook, machinesThatAnswer, sign } from '../../../demo/guestbook.ts'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import { describeBlueprint, readBlueprint } from '../../../src/cli/blueprint-file.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { difference, type MachinePicture, machinePicture } from '../../support/machine-picture.ts'
import { type OwnedTestMachines, ownedTestMachines } from '../../support/owned-machines.ts'
import { noMachines } from './local-box.ts'

describe.skipIf(noMachines)(`the guestbook on machines that exist${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation
  let owned: OwnedTestMachines
  let before: MachinePicture[]
  const changed = changedGuestbook('guestbook-2')
  appendFileSync(
    changed.blueprint,
    '  dns: { zone: guestbook.example, dnssec: true, nameservers: 1, machine: { memory: 512MiB } }\n',
  )

  beforeAll(async () => {
    box = await startInstallation()
    const [row] = await box.query('select ssh_public_key from installations')
    owned = await ownedTestMachines(5, String(row?.ssh_public_key))
    before = await Promise.all(owned.machines.map(({ guest }) => machinePicture(guest)))
    const machines = owned.machines.map(({ address, hostKey }, i) => ({ name: `metal-${i + 1}`, address, hostKey }))
    await box.client.json('POST', '/v1/clouds', { name: 'metal', provider: 'ssh', settings: { machines } })
  })

  afterAll(async () => {
    changed.remove()
    await box?.stop()
    await owned?.close()
  })

  async function deploy(file: string): Promise<void> {
    const described = await describeBlueprint(box.client, await readBlueprint(file), { cloud: 'metal' })
    await done(await box.submit('guestbook', { kind: 'deploy', ...described }))
  }

  async function done(operation: Operation): Promise<void> {
    const { status, error } = await box.finished(operation)
    expect([status, error]).toEqual(['succeeded', null])
  }

  test('deploys unchanged, answers, finds nothing changed, updates', async () => {
    await deploy(blueprint)
    const { url = '', machines } = await box.show('guestbook')
    expect(machines.map(({ name, address }) => [name, owned.machines.some((one) => one.address === address)])).toEqual(
      ['db-1', 'load-balancer-1', 'web-1', 'web-2'].map((name) => [name, true]),
    )
    expect(await machinesThatAnswer(url)).toHaveLength(2)
    const entryIsThere = await sign(url)
    const check = await box.finished(await box.submit('guestbook', { kind: 'check' }))
    expect(check.result?.drift).toEqual([])
    await deploy(changed.blueprint)
    expect(await entryIsThere()).toBe(true)
  })

  test('a machine that is taken is refused by name', async () => {
    const described = await describeBlueprint(box.client, await readBlueprint(blueprint), { cloud: 'metal' })
    const { error } = await box.finished(await box.submit('second', { kind: 'deploy', ...described }))
    expect(error).toMatchObject({ code: 'capacity-exceeded' })
    for (const i of [1, 2, 3, 4, 5]) expect(error?.message).toMatch(new RegExp(`metal-${i} belongs to deployment dep_`))
    await done(await box.submit('second', { kind: 'destroy' }))
  })

  test('is destroyed: the machines are as they were, but for packages', async () => {
    await done(await box.submit('guestbook', { kind: 'destroy', allowDataLoss: ['db'] }))
    const after = await Promise.all(owned.machines.map(({ guest }) => machinePicture(guest)))
    const packageAccounts = /^[+] (postgres|haproxy|ssl-cert|pdns)(:|$)/
    for (const [i, picture] of after.entries()) {
      const { users = [], groups = [], ...rest } = difference(before[i] as MachinePicture, picture)
      expect([i, rest]).toEqual([i, {}])
      expect([...users, ...groups].filter((line) => !packageAccounts.test(line))).toEqual([])
    }
  })

  test('and can be claimed again, packages and all', async () => {
    await deploy(blueprint)
    const { url = '' } = await box.show('guestbook')
    expect(await machinesThatAnswer(url)).toHaveLength(2)
    await done(await box.submit('guestbook', { kind: 'destroy', allowDataLoss: ['db'] }))
  })
})
