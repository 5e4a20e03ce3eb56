import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloudConfig } from '../../../src/lib/cloud-init.ts'
import { type MachinesBehind, machinesBehind } from '../../clouds/support/machines-behind.ts'
import { noMachines } from '../providers/local-box.ts'
import { newKeyPair, runOnceUp, runOver } from '../providers/ssh-login.ts'

const images = ['debian-12', 'debian-13']

describe.skipIf(noMachines)(`user data, read by Debian's cloud-init${noMachines ? ` (${noMachines})` : ''}`, () => {
  const login = newKeyPair()
  const hostKey = newKeyPair()
  let machines: MachinesBehind

  const access = (image: string) => ({
    address: machines.gateway.replace(/1$/, String(10 + images.indexOf(image))),
    user: 'admin',
    privateKey: login.privateKey,
    hostKey: hostKey.publicKey,
  })

  beforeAll(async () => {
    machines = await machinesBehind('seed')
    const userData = cloudConfig({ name: 'web-1', hostKey, authorizedKeys: [login.publicKey] })
    const size = { user: 'admin', userData, cpu: 1, memory: 512 * 1024 ** 2 }
    await Promise.all(images.map((image) => machines.boot({ id: image, image, ...access(image), ...size })))
  })

  afterAll(() => machines?.close())

  test.each(images)('%s: is what it was told to be', async (image) => {
    await runOnceUp(access(image), 'cloud-init status --wait >/dev/null; true')
    const on = async (command: string) => (await runOver(access(image), command)).output
    expect(await on('hostname; getent hosts web-1 | wc -l; sudo -n id -un')).toBe('web-1\n1\nroot')
    expect(await on('sudo -n cloud-init status; ls /etc/ssh/ssh_host_*')).toBe(
      'status: done\n/etc/ssh/ssh_host_ed25519_key\n/etc/ssh/ssh_host_ed25519_key.pub',
    )
    expect(await on('. /etc/os-release; echo $ID-$VERSION_ID; systemctl --failed --quiet --no-legend')).toBe(image)
    const root = runOver({ ...access(image), user: 'root' }, 'true')
    await expect(root.then(({ status }) => status)).rejects.toThrow(/authentication/i)
  })

  test.each(images)('%s: nobody on it reads the user data again', async (image) => {
    const { output } = await runOver(access(image), 'ip route get 169.254.169.254 2>&1')
    expect(output).toMatch(/prohibit|unreachable|denied/i)
    // sudo writes down its own command line, which must not be found by itself.
    const files =
      'sudo -n find /var/lib/cloud /run/cloud-init /var/log -type f -perm /044 -exec grep -l "P[R]IVATE KEY" {} +'
    expect((await runOver(access(image), files)).output).toBe('')
  })
})
