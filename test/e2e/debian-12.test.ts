import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedGuestbook, machinesThatAnswer, sign } from '../../demo/guestbook.ts'
import type { Operation } from '../../src/api/schemas/operation.ts'
import { type Installation, startInstallation } from '../support/installation.ts'
import { noMachines } from './providers/local-box.ts'

/** The guestbook with every machine on Debian 12, in this release. */
function onDebian12(release: string) {
  const copy = changedGuestbook(release)
  const text = readFileSync(copy.blueprint, 'utf8')
  writeFileSync(copy.blueprint, text.replaceAll('debian-13', 'debian-12'))
  return copy
}

describe.skipIf(noMachines)(`the guestbook on Debian 12${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
  })

  afterAll(() => box?.stop())

  async function done(operation: Operation): Promise<void> {
    const { status, error } = await box.finished(operation)
    expect([status, error]).toEqual(['succeeded', null])
  }

  async function releaseThatAnswers(url: string): Promise<string | null> {
    const response = await fetch(`${url}/ping`, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.headers.get('x-release')
  }

  test('deploys, answers, finds nothing changed, updates, rolls back, destroys, and leaves nothing', async () => {
    const [first, second] = [onDebian12('guestbook-1'), onDebian12('guestbook-2')]
    try {
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
      const entryIsThere = await sign(url)
      expect(await entryIsThere()).toBe(true)

      const check = await box.finished(await box.submit('guestbook', { kind: 'check' }))
      expect(check.result?.drift).toEqual([])
      expect((await box.finished(await box.deploy('guestbook', first.blueprint))).result).toMatchObject({ units: 0 })

      await done(await box.deploy('guestbook', second.blueprint))
      expect(await releaseThatAnswers(url)).toBe('guestbook-2')
      await done(await box.submit('guestbook', { kind: 'rollback', release: 1 }))
      expect(await releaseThatAnswers(url)).toBe('guestbook-1')
      expect(await entryIsThere()).toBe(true)

      await done(await box.submit('guestbook', { kind: 'destroy', allowDataLoss: ['db'] }))
      expect(await box.machines()).toEqual([])
      expect(await box.residue()).toEqual([])
    } finally {
      first.remove()
      second.remove()
    }
  })
})
