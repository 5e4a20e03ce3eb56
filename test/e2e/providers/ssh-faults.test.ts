import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageFunctions } from '../../../src/lib/manifest.ts'
import type { ProviderMachine } from '../../../src/providers/contract.ts'
import { cleanScript } from '../../../src/providers/ssh/clean-script.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import { difference, type MachinePicture, machinePicture } from '../../support/machine-picture.ts'
import { type OwnedTestMachine, type OwnedTestMachines, ownedTestMachines } from '../../support/owned-machines.ts'
import { until } from '../../support/until.ts'
import { noMachines } from './local-box.ts'
import { type SshBox, sshBox } from './ssh-box.ts'
import { newKeyPair } from './ssh-login.ts'

describe.skipIf(noMachines)(`machines that exist, in trouble${noMachines ? ` (${noMachines})` : ''}`, () => {
  const login = newKeyPair()
  let owned: OwnedTestMachines
  let box: SshBox
  let sick: OwnedTestMachine
  let bastion: OwnedTestMachine
  const boxes: SshBox[] = []

  beforeAll(async () => {
    owned = await ownedTestMachines(2, login.publicKey)
    ;[sick, bastion] = owned.machines as [OwnedTestMachine, OwnedTestMachine]
    box = await connect({ machines: [{ name: 'sick', address: sick.address, hostKey: sick.hostKey }] })
  })
  afterAll(async () => {
    for (const one of boxes) await one.close()
    await owned?.close()
  })

  async function connect(settings: Record<string, unknown>): Promise<SshBox> {
    const one = await sshBox(settings, login)
    boxes.push(one)
    return one
  }

  async function create({ provider, installation }: SshBox, token: string): Promise<ProviderMachine> {
    const spec = await provider.resolve({ cpu: 1, memory: 2 ** 28, image: 'debian-13' }, { ordinal: 1 })
    const hostKey = generateKeyPair('unused')
    const request = {
      name: 'web-1',
      spec,
      hostKey,
      authorizedKeys: [],
      component: 'web',
      ports: [{ protocol: 'tcp' as const, port: 80 }],
    }
    const tags = { installation, deployment: 'dep_one', machine: token }
    return provider.createMachine(request, { token, tags })
  }

  /** The same sentence by `cloud test` and by a deploy, and nothing changed on the machine. */
  async function refused(one: SshBox, sentence: RegExp): Promise<void> {
    const bad = (await one.provider.test()).filter(({ ok }) => !ok)
    expect(bad.map(({ detail }) => detail).join('\n')).toMatch(sentence)
    await expect(create(one, 'tok')).rejects.toMatchObject({ code: 'capacity-exceeded', message: sentence })
    expect(await sick.guest.run('ls -d /etc/kitbag /var/lib/kitbag 2>/dev/null || true')).toBe('')
  }

  test.each<[string, string, string, RegExp]>([
    [
      'a full disk',
      'mount -t tmpfs -o size=64m tmpfs /var/tmp && mount --bind /var/tmp /var',
      'umount /var; umount /var/tmp',
      /has \d+ MiB free, and 512 are needed/,
    ],
    [
      'no sudo',
      'mv /etc/sudoers.d /etc/sudoers.off',
      'mv /etc/sudoers.off /etc/sudoers.d',
      /debian may not use sudo without a password/,
    ],
    [
      'another system',
      'cp -L /etc/os-release /run/kept && rm /etc/os-release && printf "ID=fedora\\nVERSION_ID=43\\nPRETTY_NAME=Fedora\\n" >/etc/os-release',
      'rm /etc/os-release && ln -s ../usr/lib/os-release /etc/os-release',
      /runs Fedora; Kitbag knows debian-12, debian-13/,
    ],
    [
      "a stranger's service on the port",
      `systemd-run --unit=stranger --quiet perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0); setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1); bind(S,sockaddr_in(80,INADDR_ANY)); listen(S,5); sleep 600'`,
      'systemctl stop stranger',
      /perl listens on port 80 \(tcp\)/,
    ],
  ])('%s', async (_, hurt, heal, sentence) => {
    await sick.guest.run(hurt)
    try {
      await until(async () => (await box.provider.test()).some(({ detail }) => sentence.test(detail)))
      await refused(box, sentence)
    } finally {
      await sick.guest.run(heal)
    }
    expect((await box.provider.test()).filter(({ ok }) => !ok)).toEqual([])
  })

  test('another host key', async () => {
    const pinned = generateKeyPair('other').publicKey
    const other = await connect({ machines: [{ name: 'sick', address: sick.address, hostKey: pinned }] })
    await refused(other, /sick \(.*\) shows another host key than the pinned one: pinned SHA256:.*, presented SHA256:/)
  })

  test('one that a deployment has is no machine for another, and says whose it is', async () => {
    const made = await create(box, 'first')
    const message = /sick belongs to deployment dep_one/
    await expect(create(box, 'second')).rejects.toMatchObject({ code: 'capacity-exceeded', message })
    await box.provider.destroyMachine(made.id)
  })

  test('behind a jump host: claimed, seen and given back by way of it', async () => {
    const jump = { address: bastion.address, hostKey: bastion.hostKey }
    const one = await connect({ machines: [{ name: 'sick', address: sick.address, hostKey: sick.hostKey, jump }] })
    const made = await create(one, 'jumped')
    expect(await one.provider.route?.(made.id)).toMatchObject({ jump: { address: bastion.address } })
    expect(await one.provider.getMachine(made.id)).toMatchObject({ name: 'web-1', hostKey: sick.hostKey })
    expect(await sick.guest.run('ss -Htn state established sport = :22')).toContain(`${bastion.address}:`)
    await one.provider.destroyMachine(made.id)
    expect(await one.provider.getMachine(made.id)).toBeUndefined()
  })

  test('of two installations that want one machine at once, one has it, and the other is told', async () => {
    const settings = { machines: [{ name: 'sick', address: sick.address, hostKey: sick.hostKey }] }
    const rivals = await Promise.all([1, 2, 3].map(() => connect(settings)))
    // Each has looked at it before any has claimed it.
    await Promise.all(rivals.map(({ provider }) => provider.test()))
    const results = await Promise.allSettled(rivals.map((rival, i) => create(rival, `rival-${i}`)))
    const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [{ made: result.value, i }] : []))
    expect(won).toHaveLength(1)
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []))
    for (const message of lost) expect(message).toMatch(/sick (was claimed just now|belongs to another installation)/)
    for (const { made, i } of won) await rivals[i]?.provider.destroyMachine(made.id)
  })

  test('purge: the packages go too, also when the cleaning was cut off', async () => {
    const before = await machinePicture(sick.guest)
    const settings = { machines: [{ name: 'sick', address: sick.address, hostKey: sick.hostKey }], purge: true }
    const one = await connect(settings)
    const made = await create(one, 'purged')
    await sick.guest.run(installedByKitbag('haproxy'))
    await sick.guest.run(`timeout -s KILL 1 sh <<'CLEAN' || true\n${cleanScript('purged', { purge: true })}\nCLEAN`)
    await one.provider.destroyMachine(made.id)
    const after = await machinePicture(sick.guest)
    expect(difference(before, after)).toEqual({})
    expect(await sick.guest.run('dpkg-query -W haproxy 2>&1 || true')).toMatch(/no packages found/)
  })

  test('off: no machine for a new deployment, and not taken for gone', async () => {
    const made = await create(box, 'stays')
    const picture: MachinePicture = await machinePicture(sick.guest)
    expect(picture.files).toContain('f /etc/kitbag/claim.json')
    await sick.guest.powerOff()
    const away = { code: 'machine-unreachable' }
    const { provider, installation } = box
    // Side by side, because each waits for an answer that does not come.
    await Promise.all([
      expect(provider.getMachine(made.id)).rejects.toMatchObject(away),
      expect(provider.destroyMachine(made.id)).rejects.toMatchObject(away),
      expect(provider.listMachines({ tags: { installation } })).resolves.toEqual([]),
      expect(create(box, 'another')).rejects.toMatchObject({
        code: 'capacity-exceeded',
        message: /sick \(.*\) cannot be reached/,
      }),
      expect(provider.test().then((findings) => findings.filter(({ ok }) => !ok))).resolves.toMatchObject([
        { name: 'sick: ssh', detail: expect.stringMatching(/cannot be reached.*Start sick/) },
      ]),
    ])
  })
})

/** As a host program does it. */
function installedByKitbag(name: string): string {
  return `. /dev/stdin <<'KITBAG'\n${packageFunctions}\nKITBAG
kb_packages_begin
export DEBIAN_FRONTEND=noninteractive
{ apt-get update && apt-get install -y --no-install-recommends ${name}; } >/dev/null 2>&1
echo 'unit ${name}.service inactive absent' >>/var/lib/kitbag/manifest
kb_packages_end`
}
