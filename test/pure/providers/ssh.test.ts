import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fingerprint, parsePublicKey } from '../../../src/lib/host-key.ts'
import { KitbagError } from '../../../src/model/errors.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { ExecOptions, ExecResult } from '../../../src/model/reach.ts'
import type { CreateMachineRequest, Provider, ProviderSsh } from '../../../src/providers/contract.ts'
import { driver } from '../../../src/providers/ssh/driver.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'

const gib = 1024 ** 3
const hostKey = generateKeyPair('host').publicKey.split(' ').slice(0, 2).join(' ')
const print = fingerprint(parsePublicKey(hostKey).blob)
const ours = { installation: 'ins_one', deployment: 'dep_one', machine: 'mac_one', name: 'web-1', token: 'tok' }

/** A machine that only says what a look at it asks. */
interface Pretended {
  [word: string]: string | string[] | undefined
}

const plain: Pretended = {
  image: 'debian-13',
  os: 'Debian GNU/Linux 13 (trixie)',
  systemd: 'yes',
  apt: 'yes',
  cpu: '4',
  memory: String((8 * gib) / 1024),
  free: [String((20 * gib) / 1024)],
  listens: ['tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))'],
}

function saying(machine: Pretended): string {
  const now = { clock: String(Math.round(Date.now() / 1000)), ...machine }
  const lines = Object.entries(now).flatMap(([word, values]) =>
    [values ?? []].flat().map((value) => `${word} ${value}`),
  )
  return [...lines, 'end yes', ''].join('\n')
}

describe('ssh: what is said of each machine', () => {
  let home: string
  let fleet: Record<string, Pretended | Error | ExecResult>
  let calls: { machine: MachineAccess; command: string }[]

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kitbag-ssh-'))
    fleet = {}
    calls = []
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const ssh: ProviderSsh = {
    publicKey: 'ssh-ed25519 AAAA kitbag',
    hostKeys: async ({ address }) => {
      const there = fleet[address]
      if (there instanceof Error) throw there
      return [hostKey]
    },
    exec: async (machine: MachineAccess, command: unknown, _options?: ExecOptions) => {
      calls.push({ machine, command: String(command) })
      const there = fleet[machine.address]
      if (!there || there instanceof Error) throw there
      if ('stderr' in there) return there as ExecResult
      if (String(command) === 'sh') return { status: 0, stdout: saying(there as Pretended), stderr: '' }
      throw new Error('nothing but a look was expected')
    },
  }

  async function connect(settings: Record<string, unknown> = {}): Promise<Provider> {
    const machines = Object.keys(fleet).map((address) => ({ address, hostKey }))
    const checked = driver.settings.parse({ machines, ...settings })
    const environment = { installation: 'ins_one', home, cache: home, ssh, log: () => {} }
    return driver.connect({ name: 'metal', settings: checked, credentials: {} }, environment)
  }

  async function finding(machine: Pretended | Error | ExecResult) {
    fleet['10.0.0.1'] = machine
    const [, ...rest] = await (await connect()).test()
    return rest
  }

  test('the login key is given as the line for authorized_keys', async () => {
    expect((await (await connect()).test())[0]?.detail).toContain('ssh-ed25519 AAAA kitbag')
  })

  test('a plain machine is free', async () => {
    expect(await finding(plain)).toEqual([
      { name: '10.0.0.1', ok: true, detail: 'is free: debian-13, 4 cpu, 8192 MiB, 20480 MiB free on disk' },
    ])
  })

  const off = new KitbagError('machine-unreachable', '10.0.0.1 (10.0.0.1:22) cannot be reached: no answer')
  const other = new KitbagError('host-key-mismatch', '10.0.0.1 shows another host key', { fix: 'Look.' })
  const answer = (stderr: string) => ({ status: 1, stdout: '', stderr })
  test.each<[string, Pretended | Error | ExecResult, RegExp]>([
    ['off', off, /cannot be reached: no answer.*Start 10\.0\.0\.1/],
    ['another host key', other, /another host key.*Look/],
    ['no sudo', answer('sudo: a password is required'), /debian may not use sudo without a password.*NOPASSWD/],
    [
      'another system',
      { ...plain, image: 'alpine-3.20', os: 'Alpine Linux v3.20' },
      /runs Alpine Linux v3\.20; .*Install/,
    ],
    ['no systemd', { ...plain, systemd: undefined }, /does not run under systemd\. Install a plain debian-13/],
    ['a full disk', { ...plain, free: ['20971520', '102400'] }, /has 100 MiB free, and 512 are needed\. Make room/],
    ['read-only', { ...plain, readonly: 'yes' }, /read-only file system\. Mount/],
    ['its clock', { ...plain, clock: '1000000000' }, /clock \d+ s behind.*timedatectl set-ntp true/],
    [
      'a stranger',
      { ...plain, listens: ['tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))'] },
      /nginx listens on port 80 \(tcp\).*systemctl disable --now nginx/,
    ],
    [
      'another installation',
      { ...plain, claim: JSON.stringify({ ...ours, installation: 'ins_two' }) },
      /belongs to another installation of Kitbag \(ins_two, its machine web-1\)/,
    ],
    ['a broken mark', { ...plain, claim: '{' }, /a mark that cannot be read.*claim\.json/],
  ])('%s is a sentence with the way out, and no machine of a deployment', async (_, machine, sentence) => {
    const [found, ...more] = await finding(machine)
    expect(more).toEqual([])
    expect(found).toMatchObject({ ok: false, detail: expect.stringMatching(sentence) })
    const error = await create({ ports: [{ protocol: 'tcp', port: 80 }] }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'capacity-exceeded' })
    const said = String((error as KitbagError).message)
    expect(said).toContain(
      String(found?.detail)
        .split('. ')[0]
        ?.replace(/ at 20.*/, '')
        .replace(/\d+ s behind/, ''),
    )
    // Nothing but looks.
    expect(new Set(calls.map(({ command }) => command))).toEqual(new Set(calls.length > 0 ? ['sh'] : []))
  })

  async function create({
    ports = [] as NonNullable<CreateMachineRequest['ports']>,
    cpu = 1,
    memory = gib,
    settings = {},
    zones = [] as string[],
  } = {}) {
    const provider = await connect(settings)
    const spec = await provider.resolve({ cpu, memory, image: 'debian-13' }, { ordinal: 1, zones })
    const tags = { installation: 'ins_one', deployment: 'dep_one', machine: 'mac_one' }
    const request = { name: 'web-1', spec, hostKey: { privateKey: '', publicKey: '' }, authorizedKeys: [], ports }
    return provider.createMachine({ ...request, component: 'web' }, { token: 'tok', tags })
  }

  test('only what a component listens on must be free, and of the same protocol', async () => {
    fleet = {
      '10.0.0.1': {
        ...plain,
        listens: ['udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("dnsmasq",pid=7,fd=6))'],
      },
    }
    const ports = (protocol: 'tcp' | 'udp') => [{ protocol, port: 53 }]
    const message = /dnsmasq listens on port 53 \(udp\)/
    await expect(create({ ports: ports('udp') })).rejects.toMatchObject({ code: 'capacity-exceeded', message })
    const refused = await create({ ports: ports('tcp') }).catch((error: KitbagError) => error.message)
    expect(refused).not.toMatch(message)
  })

  test('what is too small, elsewhere, taken or claimed is named machine by machine', async () => {
    const zoned = (address: string, zone: string) => ({ address, hostKey, region: 'north', zone })
    fleet = {
      '10.0.0.1': { ...plain, cpu: '1' },
      '10.0.0.2': { ...plain, memory: String(gib / 1024) },
      '10.0.0.3': { ...plain, image: 'debian-12' },
      '10.0.0.4': plain,
      '10.0.0.5': { ...plain, claim: JSON.stringify({ ...ours, token: 'another', deployment: 'dep_two' }) },
    }
    const machines = Object.keys(fleet).map((address, i) => zoned(address, i === 3 ? 'b' : 'a'))
    const attempt = create({ cpu: 2, memory: 2 * gib, settings: { machines }, zones: ['a'] })
    const { message } = (await attempt.catch((error: KitbagError) => error)) as KitbagError
    expect(message).toContain('10.0.0.1 has 1 cpu, and 2 are asked for')
    expect(message).toContain('10.0.0.2 has 1138 MiB of memory, and 2048 are asked for')
    expect(message).toContain('10.0.0.3 runs debian-12, and debian-13 is asked for')
    expect(message).toContain('10.0.0.4 is in b, and a is asked for')
    expect(message).toContain('10.0.0.5 belongs to deployment dep_two as web-1')
  })

  test('the machine of a token is found again, with its own host key and the way to it', async () => {
    fleet['10.0.0.7'] = { ...plain, claim: JSON.stringify(ours) }
    const jump = { address: 'bastion.example.com', user: 'jump', hostKey }
    const settings = { machines: [{ address: '10.0.0.7', hostKey: print, user: 'admin', jump }] }
    fleet['bastion.example.com'] = plain
    const made = await create({ settings })
    expect(made).toMatchObject({ hostKey, user: 'admin', status: 'running', tags: { machine: 'mac_one' } })
    const way = { address: 'bastion.example.com', user: 'jump', hostKey }
    expect(await (await connect(settings)).route?.(made.id)).toMatchObject({ jump: way })
    expect(calls[0]?.machine).toMatchObject({ address: '10.0.0.7', jump: way })
  })

  test('a fingerprint that no key of the machine has is refused', async () => {
    fleet['10.0.0.1'] = plain
    const wrong = `SHA256:${'A'.repeat(43)}`
    const found = await (await connect({ machines: [{ address: '10.0.0.1', hostKey: wrong }] })).test()
    expect(found[1]?.detail).toContain(`pinned ${wrong}, presented ${print}`)
    expect(calls).toEqual([])
  })

  test('a key of the first use holds from then on', async () => {
    fleet['10.0.0.1'] = plain
    const settings = { machines: [{ address: '10.0.0.1' }], trustOnFirstUse: true }
    await (await connect(settings)).test()
    await (await connect(settings)).test()
    expect(calls.map(({ machine }) => machine.hostKey)).toEqual([hostKey, hostKey])
  })

  test.each([
    [{ machines: [{ address: '10.0.0.1' }] }, 'machines.0.hostKey', /missing.*trustOnFirstUse/],
    [{ machines: [{ address: 'box.example', hostKey }] }, 'machines.0.address', /IPv4 or IPv6/],
    [{ machines: [{ address: '10.0.0.1', hostKey: 'rsa' }] }, 'machines.0.hostKey', /fingerprint/],
    [{ machines: [{ address: '10.0.0.1', hostKey, memory: 'much' }] }, 'machines.0.memory', /2GiB/],
    [{ machines: [{ address: '10.0.0.1', hostKey, jump: { address: 'b' } }] }, 'machines.0.jump.hostKey', /missing/],
    [{ machines: [1, 2].map(() => ({ address: '10.0.0.1', hostKey })) }, 'machines.1', /machines\.0 already/],
  ])('settings %j are refused', (settings, path, message) => {
    const [issue] = driver.settings.safeParse(settings).error?.issues ?? []
    expect(issue?.path.join('.')).toBe(path)
    expect(issue?.message).toMatch(message)
  })

  test('a machine in use stays in the list, at its address', () => {
    const list = (...addresses: string[]) =>
      driver.settings.parse({ machines: addresses.map((address, i) => ({ name: `m${i}`, address, hostKey })) })
    const [before, after] = [list('10.0.0.1', '10.0.0.2'), list('10.0.0.1')]
    expect(driver.refuseChange?.({ before, after }, ['m1~aa'])).toMatch(/m1 is in use/)
    expect(driver.refuseChange?.({ before, after }, ['m0~aa'])).toBeUndefined()
    expect(driver.refuseChange?.({ before, after: list('10.0.0.9') }, ['m0~aa'])).toMatch(/another address/)
  })
})
