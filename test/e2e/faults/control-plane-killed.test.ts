import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import { blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { noMachines } from '../providers/local-box.ts'
import { after, atGate, complete, gatedBlueprint, openGate } from './gate.ts'

describe.skipIf(noMachines)(`kill -9 of the whole control plane${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
  })

  afterAll(() => box?.stop())

  const ids = async () => (await box.machines()).map(({ id }) => id).sort()

  /** Ids of the machines that there were between. */
  async function killAndStart(): Promise<string[]> {
    await box.plane.kill()
    const left = await ids()
    await box.plane.start()
    return left
  }

  async function answer(name: string): Promise<string> {
    const address = (await box.show(name)).machines[0]?.address
    return (await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(60_000) })).text()
  }

  test('mid-deploy, while machines boot, are installed and are configured: all end well by themselves', async () => {
    const folders = { configured: gatedBlueprint(after, 'configure'), installed: gatedBlueprint(after) }
    const gated: Operation[] = []
    for (const [name, folder] of Object.entries(folders)) {
      onTestFinished(folder.remove)
      gated.push(await box.deploy(name, folder.blueprint))
    }
    for (const [index, phase] of ['configure', 'install'].entries()) {
      const operation = gated[index] as Operation
      await box.begun(operation, `box-1/${phase}`)
      await atGate(await box.guest(operation.deployment, 'box-1'))
    }
    const booted = blueprintFolder(smallApplication('first'))
    onTestFinished(booted.remove)
    const boots = await box.deploy('booted', booted.blueprint)
    await box.begun(boots, 'web-1/create')
    const left = await killAndStart()
    expect(await ids()).toEqual(expect.arrayContaining(left))

    for (const { deployment } of gated) await openGate(await box.guest(deployment, 'box-1'))
    for (const operation of [...gated, boots]) {
      const done = await box.finished(operation)
      expect([done.status, done.error]).toEqual(['succeeded', null])
    }
    expect((await box.machines()).map(({ name }) => name).sort()).toEqual(['box-1', 'box-1', 'web-1'])
    for (const { deployment } of gated)
      expect(await (await box.guest(deployment, 'box-1')).run(complete)).toBe('beforeaftertree')
    expect(await answer('booted')).toBe('first')
    const again = await box.finished(await box.deploy('booted', booted.blueprint))
    expect(again.result).toMatchObject({ units: 0 })
  })

  test('during an update: it ends well, and the machines ran on', async () => {
    const folder = blueprintFolder(smallApplication('second'))
    onTestFinished(folder.remove)
    const machines = await ids()
    const guest = await box.guest('booted', 'web-1')
    const before = guest.init()
    const update = await box.deploy('booted', folder.blueprint)
    await box.begun(update, 'web-1/install')
    expect(await killAndStart()).toEqual(machines)
    expect(await ids()).toEqual(machines)
    expect((await box.finished(update)).error).toBeNull()
    expect(await answer('booted')).toBe('second')
    expect(await ids()).toEqual(machines)
    expect(guest.init()).toBe(before)
  })

  test('during a destroy: nothing is left', async () => {
    const destroys = await Promise.all(
      ['booted', 'configured', 'installed'].map((name) => box.submit(name, { kind: 'destroy' })),
    )
    await box.begun(destroys[0] as Operation, 'web-1/destroy')
    await killAndStart()
    for (const operation of destroys) expect((await box.finished(operation)).error).toBeNull()
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
  })
})
