import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { noMachines } from '../providers/local-box.ts'
import { newKeyPair } from '../providers/ssh-login.ts'

describe.skipIf(noMachines)(`two installations side by side${noMachines ? ` (${noMachines})` : ''}`, () => {
  /** `user` stands for the control plane that somebody runs while another is tested. */
  let user: Installation
  let other: Installation
  let folder: BlueprintFolder

  beforeAll(async () => {
    folder = blueprintFolder(smallApplication('here'))
    ;[user, other] = await Promise.all([startInstallation(), startInstallation()])
  })

  afterAll(async () => {
    folder?.remove()
    await Promise.all([user?.stop(), other?.stop()])
  })

  async function addressOf(box: Installation): Promise<string> {
    return `http://${(await box.show('same-name')).machines[0]?.address}:8080/`
  }

  /** Asks again and again until told to stop; gives what went wrong. */
  function watch(url: string) {
    const failures: string[] = []
    let asked = 0
    let going = true
    const asking = (async () => {
      while (going) {
        const text = await fetch(url, { signal: AbortSignal.timeout(60_000) }).then((answer) => answer.text(), String)
        if (text !== 'here') failures.push(text)
        asked++
      }
    })()
    return async () => {
      going = false
      await asking
      return { asked, failures }
    }
  }

  /** A machine of this installation that none of its deployments knows. */
  async function stray({ provider, id: installation }: Installation): Promise<string> {
    const spec = await provider.resolve({ cpu: 1, memory: 2 ** 28, image: 'debian-13' }, { ordinal: 1 })
    const [login, hostKey] = [newKeyPair(), newKeyPair()]
    const token = newId('mac')
    const { id } = await provider.createMachine(
      { name: 'stray', spec, hostKey, authorizedKeys: [login.publicKey], component: 'web' },
      { token, tags: { installation, deployment: newId('dep'), machine: token } },
    )
    return id
  }

  test('deploys, a sweep, a crash and a destroy of one are not felt by the other', async () => {
    const deployed = await Promise.all([user, other].map((box) => box.deploy('same-name', folder.blueprint)))
    for (const [index, box] of [user, other].entries()) {
      expect((await box.finished(deployed[index] as (typeof deployed)[0])).error).toBeNull()
      expect((await box.machines()).map(({ name }) => name)).toEqual(['web-1'])
    }
    const guest = await user.guest('same-name', 'web-1')
    const [machine, init] = [(await user.machines())[0]?.id, guest.init()]
    const watching = watch(await addressOf(user))

    const left = await stray(other)
    const sweep = (remove: boolean) =>
      other.client.json<{ machines: { id: string; removed: boolean }[] }>('POST', '/v1/sweep', { remove })
    expect((await sweep(false)).machines).toMatchObject([{ id: left, removed: false }])
    expect((await sweep(true)).machines).toMatchObject([{ id: left, removed: true }])
    expect((await other.machines()).map(({ name }) => name)).toEqual(['web-1'])

    await other.plane.kill()
    await other.plane.start()
    const destroy = await other.submit('same-name', { kind: 'destroy' })
    expect((await other.finished(destroy)).error).toBeNull()
    expect(await other.residue()).toEqual([])

    const { asked, failures } = await watching()
    expect(failures).toEqual([])
    expect(asked).toBeGreaterThan(100)
    expect((await user.machines())[0]?.id).toBe(machine)
    expect(guest.init()).toBe(init)
    expect((await user.finished(await user.deploy('same-name', folder.blueprint))).result).toMatchObject({ units: 0 })
    expect((await user.finished(await user.submit('same-name', { kind: 'check' }))).result).toMatchObject({ drift: [] })
  })
})
