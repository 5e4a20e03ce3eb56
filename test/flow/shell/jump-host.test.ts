import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jumpHost } from '../../../src/lib/jump-host.ts'
import { driver as aws } from '../../../src/providers/aws/driver.ts'
import { driver as azure } from '../../../src/providers/azure/driver.ts'
import type { Provider, ProviderEnvironment } from '../../../src/providers/contract.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import type { SshReach } from '../../../src/shell/reach.ts'
import { noSshd, reachTo, startSshd, type TestSshd } from './openssh.ts'

describe.skipIf(noSshd)(`a cloud's jump host${noSshd ? ` (${noSshd})` : ''}`, () => {
  let bastion: TestSshd
  let inner: TestSshd
  let reach: SshReach
  let home: string
  let environment: ProviderEnvironment
  let jump: { address: string; port: number; user: string; hostKey: string }

  beforeAll(async () => {
    bastion = await startSshd()
    inner = await startSshd()
    reach = reachTo(bastion.privateKey)
    home = await mkdtemp(join(tmpdir(), 'kitbag-jump-'))
    const ssh = { publicKey: 'ssh-ed25519 AAAA kitbag', exec: reach.exec, hostKeys: reach.hostKeys }
    environment = { installation: 'ins_one', home, cache: home, ssh, log: () => {} }
    const { address, port, user, hostKey } = bastion.machine
    jump = { address, port, user, hostKey }
  })
  afterAll(async () => {
    await reach?.close()
    await Promise.all([bastion?.remove(), inner?.remove()])
    if (home) await rm(home, { recursive: true, force: true })
  })

  const settings = () => ({ jump, reach: 'private' as const, sshFrom: ['10.0.0.4/32'] })
  const clouds: [string, () => Promise<Provider>][] = [
    [
      'aws',
      () =>
        aws.connect(
          {
            name: 'prod',
            settings: aws.settings.parse({ region: 'eu-central-1', ...settings() }),
            credentials: aws.credentials.parse({ accessKeyId: 'a', secretAccessKey: 'b' }),
          },
          environment,
        ),
    ],
    [
      'azure',
      () =>
        azure.connect(
          {
            name: 'prod',
            settings: azure.settings.parse({
              subscription: '00000000-0000-0000-0000-000000000000',
              region: 'westeurope',
              ...settings(),
            }),
            credentials: azure.credentials.parse({ from: 'cli' }),
          },
          environment,
        ),
    ],
  ]
  test.each(clouds)('%s: machines are reached by way of it', async (_, connect) => {
    const route = await (await connect()).route?.('one of its machines')
    expect(route?.jump).toMatchObject(jump)
    const behind = { ...inner.machine, id: `behind-${_}`, privateKey: inner.privateKey, ...route }
    const { stdout } = await reach.exec(behind, 'echo "$SSH_CONNECTION"')
    expect(stdout.trim().split(' ').at(-1)).toBe(String(inner.machine.port))
  })

  test('the cloud’s test logs in there; another key, another login: a sentence each', async () => {
    const finding = (more: object) => jumpHost('prod', { ...jump, ...more }, environment)?.finding()
    expect(await finding({})).toEqual({
      name: 'jump host',
      ok: true,
      detail: `${jump.user}@${jump.address} lets Kitbag in, and on`,
    })
    const other = await finding({ hostKey: generateKeyPair('other').publicKey })
    expect(other).toMatchObject({ ok: false, detail: expect.stringContaining('host key') })
    const stranger = await finding({ user: 'stranger' })
    expect(stranger).toMatchObject({ ok: false, detail: expect.stringContaining('ssh-ed25519 AAAA kitbag') })
  })

  test('one that forwards nothing is found out before anything is made', async () => {
    const closed = await startSshd(['AllowTcpForwarding no'])
    const own = reachTo(closed.privateKey)
    try {
      const { address, port, user, hostKey } = closed.machine
      const ssh = { publicKey: 'ssh-ed25519 AAAA kitbag', exec: own.exec, hostKeys: own.hostKeys }
      const finding = await jumpHost('prod', { address, port, user, hostKey }, { ssh, home })?.finding()
      expect(finding).toMatchObject({ ok: false, detail: expect.stringContaining('AllowTcpForwarding yes') })
    } finally {
      await own.close()
      await closed.remove()
    }
  })
})
