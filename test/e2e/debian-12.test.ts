import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedGuestbook, machinesThatAnswer, sign } from '../../demo/guestbook.ts'
import type { Operation } from '../../src/api/schemas/operation.ts'
import { type Installation, startInstallation } from '../support/installation.ts'
import { noMachines } from './providers/local-box.ts'

/** The guestbook with every machine on Debian 12, in this release. */
function onDebian12(release: string, change = (text: string) => text) {
  const copy = changedGuestbook(release)
  const text = readFileSync(copy.blueprint, 'utf8')
  writeFileSync(copy.blueprint, change(text).replaceAll('debian-13', 'debian-12'))
  return copy
}

describe.skipIf(noMachines)(`the guestbook on Debian 12${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation
  let entryIsThere: () => Promise<boolean>
  let first: ReturnType<typeof onDebian12>
  let second: ReturnType<typeof onDebian12>

  beforeAll(async () => {
    first = onDebian12('guestbook-1')
    second = onDebian12('guestbook-2')
    box = await startInstallation()
  })

  afterAll(async () => {
    first?.remove()
    second?.remove()
    await box?.stop()
  })

  async function done(operation: Operation): Promise<void> {
    const { status, error } = await box.finished(operation)
    expect([status, error]).toEqual(['succeeded', null])
  }

  async function releaseThatAnswers(url: string): Promise<string | null> {
    const response = await fetch(`${url}/ping`, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.headers.get('x-release')
  }

  test('deploys, answers, finds nothing changed, updates, rolls back', async () => {
    await done(await box.deploy('guestbook', first.blueprint))
    const { url = '', machines } = await box.show('guestbook')
    expect(machines.map(({ name, image }) => `${name} ${image.slice(0, 9)}`)).toEqual(
      ['db-1', 'load-balancer-1', 'web-1', 'web-2'].map((name) => `${name} debian-12`),
    )
    for (const { name } of machines) {
      const guest = await box.guest('guestbook', name)
      expect([name, await guest.run('. /etc/os-release; echo $VERSION_CODENAME')]).toEqual([name, 'bookworm'])
    }
    expect(await machinesThatAnswer(url)).toEqual(['web-1', 'web-2'])
    entryIsThere = await sign(url)
    expect(await entryIsThere()).toBe(true)

    const check = await box.finished(await box.submit('guestbook', { kind: 'check' }))
    expect(check.result?.drift).toEqual([])
    expect((await box.finished(await box.deploy('guestbook', first.blueprint))).result).toMatchObject({ units: 0 })

    await done(await box.deploy('guestbook', second.blueprint))
    expect(await releaseThatAnswers(url)).toBe('guestbook-2')
    await done(await box.submit('guestbook', { kind: 'rollback', release: 1 }))
    expect(await releaseThatAnswers(url)).toBe('guestbook-1')
    expect(await entryIsThere()).toBe(true)
  })

  test("a change that would replace the database's machine is refused, and the plan says why", async () => {
    const machines = (await box.machines()).map(({ id }) => id).sort()
    const larger = onDebian12('guestbook-1', (text) => text.replace('memory: 1GiB', 'memory: 768MiB'))
    try {
      const plan = await box.plan('guestbook', larger.blueprint)
      expect(plan.refusals).toMatchObject([{ code: 'data-loss-refused' }])
      expect(plan.refusals[0]?.message).toContain('memory of db changed')
      const refused = await box.deploy('guestbook', larger.blueprint).then(
        async (operation) => (await box.finished(operation)).error,
        (error) => error,
      )
      expect(refused).toMatchObject({ code: 'data-loss-refused' })
      expect(`${refused?.message} ${refused?.fix}`).toContain('--allow-data-loss db')
    } finally {
      larger.remove()
    }
    expect((await box.machines()).map(({ id }) => id).sort()).toEqual(machines)
    expect(await entryIsThere()).toBe(true)
  })

  test('destroys when the loss of its data is said, and leaves nothing', async () => {
    await expect(box.submit('guestbook', { kind: 'destroy' })).rejects.toMatchObject({ code: 'data-loss-refused' })
    await done(await box.submit('guestbook', { kind: 'destroy', allowDataLoss: ['db'] }))
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
  })
})
