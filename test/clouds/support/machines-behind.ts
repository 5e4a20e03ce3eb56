import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder } from '../../../src/main/paths.ts'
import { newId } from '../../../src/model/ids.ts'
import { guestSources } from '../../../src/providers/local/apt-sources.ts'
import { readBoxApt } from '../../../src/providers/local/box-apt.ts'
import { type LocalCloud, localCloud } from '../../../src/providers/local/cloud.ts'
import { boot } from '../../../src/providers/local/create-machine.ts'
import { guestFiles, writeGuestFiles } from '../../../src/providers/local/guest-files.ts'
import { suites } from '../../../src/providers/local/images.ts'
import { withLock } from '../../../src/providers/local/lock.ts'
import { machineId } from '../../../src/providers/local/names.ts'
import { ensureNetwork, removeNetwork } from '../../../src/providers/local/network.ts'
import { type MachineRecord, readRecords, writeRecord } from '../../../src/providers/local/records.ts'
import { destroyMachine } from '../../../src/providers/local/remove-machine.ts'
import { residue } from '../../../src/providers/local/residue.ts'
import { boxResolvers } from '../../../src/providers/local/resolvers.ts'
import { run } from '../../../src/providers/local/run.ts'
import { gatewayOf } from '../../../src/providers/local/subnets.ts'
import { type Guest, guestAt } from '../../support/guest.ts'
import { ensureCloudImage } from './cloud-image.ts'
import { type PublicAddresses, publicAddresses } from './public-addresses.ts'

/** A machine that a test cloud wants to run. */
export interface MachineWanted {
  /** The cloud's own id of it. */
  id: string
  /** An address of `subnet`; the first one is the gateway's. */
  address: string
  /** One more, where the cloud gives such. Its network is the /56 around it, in which the box has the first address. */
  ipv6?: string
  /** Portable image word. */
  image: string
  /** Login user of such images at this cloud: cloud-init makes it. */
  user: string
  /** As the driver sent it. */
  userData: string
  cpu: number
  /** Bytes. */
  memory: number
}

/** Real machines on this box for a test cloud: each boots with Debian's cloud-init, which reads the user data that the cloud was sent. */
export interface MachinesBehind {
  /** Network of the machines, a /24. */
  subnet: string
  gateway: string
  /** Others by which the box, and one machine another, reaches them. */
  outside: Pick<PublicAddresses, 'prefix' | 'prefix6' | 'publish'>
  /** Returns once it boots; the same id again does nothing. */
  boot(machine: MachineWanted): Promise<void>
  /** Ends it and removes all of it. */
  end(id: string): Promise<void>
  /** What it has written to its console. */
  console(id: string): Promise<string>
  /** The machine at an address, to be hurt. */
  guest(address: string): Promise<Guest>
  /** What is left of it on this box, while no machine shall be. */
  residue(): Promise<string[]>
  /** Ends all of them. Throws when something is left on this box. */
  close(): Promise<void>
}

export async function machinesBehind(name: string): Promise<MachinesBehind> {
  const home = await mkdtemp(join(tmpdir(), `kitbag-${name}-`))
  const installation = newId('ins')
  const cloud = await localCloud(name, { installation, home, cache: cacheFolder(), log: () => {} })
  const network = () => withLock(cloud.paths.networkLock, () => ensureNetwork(cloud.paths, installation))
  const { subnet, bridge } = await network()
  const outside = publicAddresses(bridge, subnet)
  const own = (id: string) => machineId(installation, name, id)
  const left = async () => [...(await residue(cloud, installation, [])), ...(await outside.residue())]
  /** One thing after the other for each machine: it may be ended while it is still being made. */
  const turns = new Map<string, Promise<void>>()
  const inTurn = (id: string, work: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(id) ?? Promise.resolve()).catch(() => {}).then(work)
    turns.set(id, turn)
    return turn
  }
  return {
    subnet,
    gateway: gatewayOf(subnet),
    outside,
    boot: (machine) =>
      inTurn(machine.id, async () => {
        const now = await network()
        if (now.subnet !== subnet) throw new Error(`the network of ${name} changed from ${subnet} to ${now.subnet}`)
        await outside.route()
        if (machine.ipv6) {
          const own = `${firstOf(machine.ipv6)}/56`
          await run('ip', ['-6', 'address', 'replace', own, 'dev', bridge, 'nodad'])
        }
        await bootMachine(cloud, own(machine.id), machine, subnet)
      }),
    end: (id) => inTurn(id, () => destroyMachine(cloud, own(id))),
    async console(id) {
      const { log, upper } = cloud.paths.machine(own(id))
      // Containers have no console of their own, so that cloud-init writes what is meant for it, as all else, to its log.
      const parts = [log, join(upper, 'var/log/cloud-init-output.log')]
      return (await Promise.all(parts.map((file) => readFile(file, 'utf8').catch(() => '')))).join('')
    },
    guest: (address) => guestAt(home, address),
    residue: left,
    async close() {
      await Promise.allSettled(turns.values())
      for (const { id } of await readRecords(cloud.paths, installation)) await destroyMachine(cloud, id)
      await outside.publish(new Map())
      await withLock(cloud.paths.networkLock, () => removeNetwork(cloud.paths, installation))
      const found = await left()
      await rm(home, { recursive: true, force: true })
      if (found.length > 0) throw new Error(`left on the box: ${found.join(', ')}`)
    },
  }
}

async function bootMachine(cloud: LocalCloud, id: string, machine: MachineWanted, subnet: string): Promise<void> {
  const { address, image, cpu, memory } = machine
  const { base, lower } = await ensureCloudImage(cloud.cache, image)
  const tags = { installation: cloud.installation, deployment: cloud.name, machine: machine.id }
  const named = { id, name: id, token: machine.id, cloud: cloud.name, tags }
  const record: MachineRecord = { ...named, state: 'made', image, cpu, memory, address }
  const paths = cloud.paths.machine(id)
  await writeRecord(cloud.paths, record)
  for (const folder of [paths.upper, paths.work, paths.root]) await mkdir(folder, { mode: 0o755, recursive: true })
  const [apt, resolvers] = await Promise.all([readBoxApt(), boxResolvers()])
  const given = guestFiles(
    { name: id, hostKey: { privateKey: '', publicKey: '' }, authorizedKeys: [] },
    { address, gateway: gatewayOf(subnet), resolvers },
    { sources: guestSources(apt.mirrors, suites[image] ?? ''), config: apt.config },
  )
  const seed = (name: string, content: string) => ({
    path: `/var/lib/cloud/seed/nocloud/${name}`,
    content,
    mode: 0o600,
  })
  await writeGuestFiles(paths.upper, base, [
    ...given
      .filter(({ path }) => /^\/etc\/(machine-id$|systemd\/|apt\/)/.test(path))
      .map((file) => (file.path.endsWith('.network') ? { ...file, content: file.content + ipv6Lines(machine) } : file)),
    { path: '/etc/cloud/cloud.cfg.d/96_user.cfg', content: userConfig(machine.user), mode: 0o644 },
    seed('meta-data', JSON.stringify({ 'instance-id': machine.id, 'local-hostname': id })),
    seed('user-data', machine.userData),
  ])
  await boot(cloud, record, lower)
}

/** Of the network's file. Without a way out: the internet is there by IPv4 alone, and programs shall know that. */
function ipv6Lines({ ipv6 }: MachineWanted): string {
  return ipv6 ? `[Address]\nAddress=${ipv6}/56\nDuplicateAddressDetection=none\n` : ''
}

/** Of the /56 around an address. */
function firstOf(address: string): string {
  const [a, b, c, d = '0'] = address.split(':')
  return `${a}:${b}:${c}:${(Number.parseInt(d, 16) & 0xff00).toString(16)}::1`
}

/** As Debian's cloud images have it: a machine knows its own name, which sudo asks for each time. */
function userConfig(user: string): string {
  return JSON.stringify({ manage_etc_hosts: true, system_info: { default_user: { name: user } } })
}
