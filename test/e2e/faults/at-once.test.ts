import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { after, atGate, gatedBlueprint, openGate } from './gate.ts'

describe.skipIf(noMachines)(`operations of one name at once${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
  })

  afterAll(() => box?.stop())

  test('two deploys of one name at once, destroy while deploying, the same Idempotency-Key twice', async () => {
    const folder = gatedBlueprint(after)
    onTestFinished(folder.remove)
    const { blueprint } = folder
    const first = await box.deploy('one', blueprint, {}, 'key-1')
    await box.begun(first, 'box-1/install')
    const guest = await box.guest('one', 'box-1')
    await atGate(guest)

    expect((await box.deploy('one', blueprint, {}, 'key-1')).id).toBe(first.id)
    const second = await box.deploy('one', blueprint)
    const destroy = await box.submit('one', { kind: 'destroy' })
    await expect(box.deploy('one', blueprint, { onConflict: 'refuse' })).rejects.toMatchObject({
      code: 'operation-running',
    })
    expect([second.status, destroy.status]).toEqual(['queued', 'queued'])

    await openGate(guest)
    const done = [await box.finished(first), await box.finished(second), await box.finished(destroy)]
    expect(done.map(({ status, error }) => [status, error])).toEqual(done.map(() => ['succeeded', null]))
    expect(done[1]?.result).toMatchObject({ units: 0 })
    for (const [index, { startedAt }] of done.entries()) {
      if (index > 0) expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(finishedAt(done[index - 1]))
    }
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
  })

  /** Cancels what stands at the gate: `cancelling` at once, then over and undone to the last trace on the box. */
  async function expectCancelled(operation: Operation): Promise<void> {
    const { status } = await box.client.json<Operation>('POST', `/v1/operations/${operation.id}/cancel`)
    expect(status).toBe('cancelling')
    const over = await box.finished(operation)
    expect(over).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' }, result: { undone: true } })
    expect((await box.show(operation.deployment)).machines).toEqual([])
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
  }

  test('cancel mid-install: the program stops before its next resource, undone, no residue', async () => {
    const folder = gatedBlueprint(after)
    onTestFinished(folder.remove)
    const operation = await box.deploy('given-up', folder.blueprint)
    await box.begun(operation, 'box-1/install')
    const guest = await box.guest('given-up', 'box-1')
    await atGate(guest)
    const cancelled = expectCancelled(operation)
    // The resource at hand is let go on once the program was asked to stop; nothing after it is touched.
    await until(async () => (await guest.run('find /run/kitbag -name "stop.*"')) !== '')
    await openGate(guest)
    await cancelled
    const resources = (await box.events(operation)).filter(({ type }) => type === 'resource')
    expect(resources.map(({ data }) => data.resource)).toEqual(['file:/etc/before', 'command:gate'])
  })

  test('cancel while a command hangs: it is left, undone, no residue', async () => {
    const folder = gatedBlueprint(after)
    onTestFinished(folder.remove)
    const operation = await box.deploy('hanging', folder.blueprint)
    await box.begun(operation, 'box-1/install')
    await atGate(await box.guest('hanging', 'box-1'))
    await expectCancelled(operation)
  })

  test('cancel of an update: what was serving serves on, as it was', async () => {
    const folder = gatedBlueprint(after)
    onTestFinished(folder.remove)
    const first = await box.deploy('updated', folder.blueprint)
    await box.begun(first, 'box-1/install')
    const guest = await box.guest('updated', 'box-1')
    await openGate(guest)
    expect((await box.finished(first)).error).toBeNull()
    const init = guest.init()

    await guest.run('rm /var/lib/gate.open')
    const changed = gatedBlueprint(after.replace('content: after', 'content: changed'))
    onTestFinished(changed.remove)
    const update = await box.deploy('updated', changed.blueprint)
    await box.begun(update, 'box-1/install')
    await until(async () => JSON.stringify((await box.operation(update.id)).units).includes('"running"'))
    await box.client.json('POST', `/v1/operations/${update.id}/cancel`)
    await openGate(guest)
    const over = await box.finished(update)
    expect([over.status, over.error?.message]).toEqual([
      'cancelled',
      expect.stringContaining('release 1 is still serving'),
    ])
    expect(await guest.run('cat /etc/after')).toBe('after')
    expect(guest.init()).toBe(init)
    expect((await box.finished(await box.deploy('updated', folder.blueprint))).result).toMatchObject({ units: 0 })
  })
})

function finishedAt(operation: Operation | undefined): number {
  return Date.parse(operation?.finishedAt ?? '')
}
