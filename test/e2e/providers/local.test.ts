import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import type { ProviderMachine } from '../../../src/providers/contract.ts'
import { images, type LocalBox, localBox, noMachines } from './local-box.ts'
import { newKeyPair, runOnceUp, runOver } from './ssh-login.ts'

const memory = 384 * 1024 * 1024

describe.skipIf(noMachines)(`local: machines as a cloud hands them out${noMachines ? ` (${noMachines})` : ''}`, () => {
  const login = newKeyPair()
  const hostKeys = Object.fromEntries(images.map((image) => [image, newKeyPair()]))
  const machines = new Map<string, ProviderMachine>()
  let box: LocalBox

  const access = (image: string) => ({
    address: machines.get(image)?.addresses[0]?.address ?? '',
    privateKey: login.privateKey,
    hostKey: hostKeys[image]?.publicKey ?? '',
  })
  const on = async (image: string, command: string) => (await runOver(access(image), command)).output

  beforeAll(async () => {
    box = await localBox()
    await Promise.all(
      images.map(async (image) => {
        const spec = await box.provider.resolve({ cpu: 0.5, memory, image }, { ordinal: 1 })
        const hostKey = hostKeys[image] ?? newKeyPair()
        const request = { name: `on-${image}`, spec, hostKey, authorizedKeys: [login.publicKey], component: 'web' }
        const tags = { installation: box.installation, deployment: 'dep', machine: image }
        machines.set(image, await box.provider.createMachine(request, { token: newId('mac'), tags }))
        await runOnceUp(access(image), 'true')
      }),
    )
  })

  afterAll(async () => {
    for (const { id } of machines.values()) await box.provider.destroyMachine(id)
    await box.close()
  })

  test('the box lets the services of many machines watch files: the kernel counts them together', () => {
    expect(Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'utf8'))).toBeGreaterThanOrEqual(8192)
  })

  describe.each(images)('%s', (image) => {
    test('boots to running with no failed unit, in the release asked for', async () => {
      // With `--wait` systemctl can miss the end of the boot, and waits for ever.
      await expect.poll(() => on(image, 'systemctl is-system-running')).toMatch(/^(running|degraded)$/)
      expect(await on(image, 'systemctl is-system-running; systemctl --failed --quiet --no-legend')).toBe('running')
      expect(await on(image, '. /etc/os-release; echo $ID-$VERSION_ID')).toBe(image)
    })

    test('debian may use sudo without a password, and the host name resolves', async () => {
      expect(await on(image, 'sudo -n id -un; hostname; getent hosts $(hostname) | wc -l')).toBe(`root\non-${image}\n1`)
    })

    test('the host key is the given one, and the only one', async () => {
      expect(await on(image, 'ls /etc/ssh/ssh_host_*')).toBe(
        '/etc/ssh/ssh_host_ed25519_key\n/etc/ssh/ssh_host_ed25519_key.pub',
      )
      const imposter = { ...access(image), hostKey: newKeyPair().publicKey }
      await expect(runOver(imposter, 'true')).rejects.toThrow(/host/i)
    })

    test('root, passwords and other keys are refused', async () => {
      await expect(runOver({ ...access(image), user: 'root' }, 'true')).rejects.toThrow(/authentication/i)
      await expect(runOver({ ...access(image), password: 'debian' }, 'true')).rejects.toThrow(/authentication/i)
      const stranger = { ...access(image), privateKey: newKeyPair().privateKey }
      await expect(runOver(stranger, 'true')).rejects.toThrow(/authentication/i)
    })

    test('has a cloud image’s base and nothing beyond', async () => {
      expect(await on(image, 'for c in curl wget python3 perl-modules gcc vim; do command -v $c; done')).toBe('')
      expect(await on(image, 'ls /var/lib/apt/lists')).toBe('')
    })

    test('installs packages from the mirror that the box uses', async () => {
      const install = 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y haproxy >&2'
      const { status, output } = await runOver(
        access(image),
        `sudo -n apt-get update -qq && ${install} && /usr/sbin/haproxy -v`,
      )
      expect(output).toContain('HAProxy version')
      expect(status).toBe(0)
    })

    test('its memory and processor are limited from outside', async () => {
      const { id } = machines.get(image) ?? { id: '' }
      const limits = [
        [`memory/kitbag-${id}/memory.limit_in_bytes`, String(memory)],
        [`cpu/kitbag-${id}/cpu.cfs_quota_us`, '10000'],
        [`kitbag-${id}/memory.max`, String(memory)],
        [`kitbag-${id}/cpu.max`, '10000 20000'],
        [`system.slice/kitbag-${id}.scope/memory.max`, String(memory)],
        [`system.slice/kitbag-${id}.scope/cpu.max`, '10000 20000'],
      ]
      const found = limits.flatMap(([file, wanted]) => {
        const text = readIfThere(`/sys/fs/cgroup/${file}`)
        return text === undefined ? [] : [{ file, is: text, wanted }]
      })
      expect(found).toHaveLength(2)
      for (const { is, wanted } of found) expect(is).toBe(wanted)
    })

    test('comes back when it reboots itself, with its data, under the same address', async () => {
      const before = await on(
        image,
        'echo kept | tee note; cat /proc/sys/kernel/random/boot_id >/dev/null; stat -c %Z /proc/1',
      )
      await runOver(access(image), 'sudo -n systemctl reboot').catch(() => {})
      const after = async () =>
        (await runOver(access(image), 'cat note; stat -c %Z /proc/1').catch(() => undefined))?.output
      // It answers as before until it goes down, and not at all then.
      await expect.poll(after).toSatisfy((said) => /^kept\n\d+$/.test(said ?? '') && said !== before)
      expect((await box.provider.getMachine(machines.get(image)?.id ?? ''))?.status).toBe('running')
    })

    test('comes back when it crashes', async () => {
      const { id } = machines.get(image) ?? { id: '' }
      const file = `${box.environment.home}/local/machines/${id}/guest.pid`
      const guest = readFileSync(file, 'utf8')
      process.kill(Number(guest.split(' ')[0]), 'SIGKILL')
      await expect.poll(() => readIfThere(file) ?? guest).not.toBe(guest.trim())
      expect(await runOnceUp(access(image), 'cat note')).toBe('kept')
    })
  })

  test('machines reach each other, and have identities of their own', async () => {
    const ids = await Promise.all(images.map((image) => on(image, 'cat /etc/machine-id')))
    expect(new Set(ids).size).toBe(2)
    const [first = '', second = ''] = images
    const banner = `exec 3<>/dev/tcp/${access(second).address}/22; head -c 7 <&3`
    expect(await on(first, `bash -c '${banner}'`)).toBe('SSH-2.0')
  })

  test('a machine that is powered off stays off, until it is destroyed', async () => {
    const { id } = machines.get('debian-12') ?? { id: '' }
    const status = async () => (await box.provider.getMachine(id))?.status
    await runOver(access('debian-12'), 'sudo -n systemctl poweroff').catch(() => {})
    await expect.poll(status).toBe('stopped')
    await box.provider.adopt?.()
    expect(await status()).toBe('stopped')
  })

  test('destroying leaves nothing on the box', async () => {
    await Promise.all([...machines.values()].map(({ id }) => box.provider.destroyMachine(id)))
    expect(await box.provider.residue?.(box.installation)).toEqual([])
    expect(box.complaints).toEqual([])
    expect(readdirSync(`${box.environment.home}/local`).filter((name) => name !== 'locks')).toEqual([])
  })
})

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
