import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import type { SshReach } from '../../../src/shell/reach.ts'
import { freePort, noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'

describe.skipIf(noSshd)(`a machine behind another${noSshd ? ` (${noSshd})` : ''}`, () => {
  let bastion: TestSshd
  let inner: TestSshd
  let reach: SshReach
  let behind: MachineAccess

  beforeAll(async () => {
    bastion = await startSshd()
    inner = await startSshd()
    // The inner one has a login key of its own.
    reach = reachTo(bastion.privateKey)
    const jump = { ...bastion.machine, id: 'jump', name: 'bastion' }
    behind = { ...inner.machine, id: 'inner', name: 'inner', privateKey: inner.privateKey, jump }
  })
  afterAll(async () => {
    await reach?.close()
    await Promise.all([bastion?.remove(), inner?.remove()])
  })

  test('runs commands there, by way of the first, each with its own pinned key and login', async () => {
    const { stdout } = await reach.exec(behind, 'echo "$SSH_CONNECTION"')
    expect(stdout.trim().split(' ').at(-1)).toBe(String(inner.machine.port))
    await bastion.kill()
    await expect(reach.exec(behind, 'true')).rejects.toMatchObject({ code: 'machine-unreachable', retryable: true })
    await bastion.start()
    expect((await reach.exec(behind, 'echo back')).stdout).toBe('back\n')
  })

  test('another key of either is refused, and says whose', async () => {
    const other = generateKeyPair('other').publicKey
    const first = { ...behind, id: 'a', jump: { ...(behind.jump as MachineAccess), id: 'b', hostKey: other } }
    await expect(reach.exec(first, 'true')).rejects.toMatchObject({ code: 'host-key-mismatch', message: /^bastion/ })
    await expect(reach.waitForSsh(first, { timeout: 120_000 })).rejects.toMatchObject({ code: 'host-key-mismatch' })
    const second = { ...behind, id: 'c', hostKey: other }
    await expect(reach.exec(second, 'true')).rejects.toMatchObject({ code: 'host-key-mismatch', message: /^inner/ })
  })

  test('one that the first cannot reach is unreachable by way of it', async () => {
    const nowhere = { ...behind, id: 'd', port: await freePort() }
    const message = /^inner .*by way of bastion .*nothing answers/
    await expect(reach.exec(nowhere, 'true')).rejects.toMatchObject({ code: 'machine-unreachable', message })
  })

  test('host keys are shown without a login, also from behind', async () => {
    const key = (machine: MachineAccess) => machine.hostKey.split(' ').slice(0, 2).join(' ')
    expect(await reach.hostKeys({ ...inner.machine, user: 'nobody' })).toEqual([key(inner.machine)])
    expect(await reach.hostKeys(behind)).toEqual([key(inner.machine)])
    const off = { ...inner.machine, port: await freePort() }
    await expect(reach.hostKeys(off)).rejects.toMatchObject({ code: 'machine-unreachable' })
  })
})
