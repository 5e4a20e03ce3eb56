import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import type { Guest } from '../../support/guest.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'

const plain = (packages: string) => ({
  'blueprint.yaml': `
apiVersion: kitbag/v1
name: plain
components:
  box:
    recipe: base
    settings: { packages: [${packages}] }
    machine: { memory: 256MiB }
`,
})

describe.skipIf(noMachines)(`who is who${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
  })

  afterAll(() => box?.stop())

  describe('host key changed', () => {
    let folder: BlueprintFolder
    let guest: Guest
    let since: string

    const restartSshd = "pkill -9 -f '^(/usr/sbin/)?sshd' ; systemctl restart ssh"
    const fingerprint = 'ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub | cut -d" " -f2'
    const journal = (what: string) =>
      guest.run(`journalctl --quiet --output=cat --since=${since} | grep -c '${what}' || true`)

    beforeAll(async () => {
      folder = blueprintFolder(plain(''))
      const operation = await box.finished(await box.deploy('pinned', folder.blueprint))
      expect(operation.error).toBeNull()
      guest = await box.guest('pinned', 'box-1')
    })

    afterAll(() => folder?.remove())

    test('a check, a deploy and logs are stopped with both keys named; nothing is connected', async () => {
      const pinned = await guest.run(fingerprint)
      await guest.run(
        'cp -a /etc/ssh/ssh_host_ed25519_key /root/key; cp -a /etc/ssh/ssh_host_ed25519_key.pub /root/key.pub',
      )
      await guest.run('rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key')
      await guest.run(restartSshd)
      since = `@${(await guest.run('date +%s.%N')).slice(0, 14)}`
      const presented = await guest.run(fingerprint)
      expect(presented).not.toBe(pinned)

      const check = await box.finished(await box.submit('pinned', { kind: 'check' }))
      expect([check.status, check.error]).toEqual([
        'failed',
        expect.objectContaining({ code: 'host-key-mismatch', machine: 'box-1' }),
      ])
      for (const named of ['box-1', pinned, presented]) expect(check.error?.message).toContain(named)

      folder.write(plain('tree'))
      const deploy = await box.finished(await box.deploy('pinned', folder.blueprint))
      expect([deploy.status, deploy.error?.code, deploy.error?.machine]).toEqual([
        'failed',
        'host-key-mismatch',
        'box-1',
      ])

      const logs = await (await box.client.call('GET', '/v1/deployments/pinned/logs?all=true')).text()
      expect(logs).toContain(presented)

      // The machine itself saw connections that ended before a login, and not one command.
      expect(Number(await journal('Accepted'))).toBe(0)
      expect(Number(await journal('COMMAND='))).toBe(0)
      await expect.poll(async () => Number(await journal('\\[preauth\\]'))).toBeGreaterThanOrEqual(3)
      expect(await guest.run('test -e /usr/bin/tree || echo untouched')).toBe('untouched')
    })

    test('with its own key again, it is trusted again', async () => {
      await guest.run('mv /root/key /etc/ssh/ssh_host_ed25519_key; mv /root/key.pub /etc/ssh/ssh_host_ed25519_key.pub')
      await guest.run(restartSshd)
      expect((await box.finished(await box.deploy('pinned', folder.blueprint))).error).toBeNull()
      expect(await guest.run('command -v tree')).toBe('/usr/bin/tree')
    })
  })

  test('wrong token: 401 at every route, and without one', async () => {
    const { paths } = await box.client.json<{ paths: Record<string, object> }>('GET', '/openapi.json')
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, 'x')] as const),
    )
    expect(routes.length).toBeGreaterThan(25)
    const tokens = [
      '',
      'Bearer ',
      `Bearer ${box.token}x`,
      `Bearer ${box.token.slice(0, -1)}`,
      `Basic ${btoa(`:${box.token}x`)}`,
    ]
    for (const authorization of tokens) {
      const answers = routes.map(async ([method, path]) => {
        const { status } = await fetch(`${box.plane.url()}${path}`, {
          method,
          headers: authorization ? { authorization } : {},
        })
        return `${method} ${path} ${status}`
      })
      expect(await Promise.all(answers)).toEqual(
        routes.map(([method, path]) => `${method} ${path} ${path === '/healthz' ? 200 : 401}`),
      )
    }
    expect((await fetch(`${box.plane.url()}/openapi.json`)).status).toBe(401)
  })
})
