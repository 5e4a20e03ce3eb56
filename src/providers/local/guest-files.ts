import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing } from '../../lib/state-file.ts'
import type { CreateMachineRequest } from '../contract.ts'
import { macOf } from './subnets.ts'

/** Login user of the images; id of user and group too. */
export const loginUser = 'debian'
const loginId = 1000

export interface GuestFile {
  path: string
  content: string
  mode: number
  /** User and group id. Default root. */
  owner?: number
}

export interface GuestNetwork {
  address: string
  gateway: string
  resolvers: string[]
}

/** What cloud-init would do at a machine's first boot, as files. */
export function guestFiles(
  request: Pick<CreateMachineRequest, 'name' | 'hostKey' | 'authorizedKeys'>,
  network: GuestNetwork,
  apt: { sources: string; config: string },
): GuestFile[] {
  const { name, hostKey, authorizedKeys } = request
  const text = (path: string, content: string, mode = 0o644): GuestFile => ({ path, content, mode })
  const loginFolder = `/home/${loginUser}`
  return [
    text('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`, 0o444),
    text('/etc/hostname', `${name}\n`),
    text('/etc/hosts', hosts(name)),
    text('/etc/ssh/ssh_host_ed25519_key', withNewline(hostKey.privateKey), 0o600),
    text('/etc/ssh/ssh_host_ed25519_key.pub', withNewline(hostKey.publicKey)),
    { ...text(`${loginFolder}/.ssh/authorized_keys`, authorizedKeys.map(withNewline).join(''), 0o600), owner: loginId },
    text('/etc/systemd/network/10-host0.network', networkFile(network)),
    text('/etc/apt/sources.list.d/debian.sources', apt.sources),
    ...(apt.config ? [text('/etc/apt/apt.conf.d/90mirror', apt.config)] : []),
  ]
}

function hosts(name: string): string {
  return `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n`
}

function networkFile({ address, gateway, resolvers }: GuestNetwork): string {
  return [
    '[Match]',
    'Name=host0',
    '[Link]',
    `MACAddress=${macOf(address)}`,
    'RequiredForOnline=no',
    '[Network]',
    `Address=${address}/24`,
    `Gateway=${gateway}`,
    ...resolvers.map((resolver) => `DNS=${resolver}`),
    'LinkLocalAddressing=no',
    'IPv6AcceptRA=no',
    '',
  ].join('\n')
}

/** Writes the files into the machine's layer; folders that the image has too keep the image's owner and mode. */
export async function writeGuestFiles(layer: string, image: string, files: GuestFile[]): Promise<void> {
  for (const { path, content, mode, owner = 0 } of files) {
    await makeFolder(layer, image, dirname(path), owner)
    const target = join(layer, path)
    await writeFile(target, content, { mode })
    await chmod(target, mode)
    await chown(target, owner, owner)
  }
}

async function makeFolder(layer: string, image: string, path: string, owner: number): Promise<void> {
  if (path !== '/') await makeFolder(layer, image, dirname(path), owner)
  const target = join(layer, path)
  const like = await attributes(join(image, path), owner)
  await mkdir(target, { recursive: true })
  await chmod(target, like.mode)
  await chown(target, like.uid, like.gid)
}

/** The image's folder, or for a new one that only its owner may enter. */
async function attributes(path: string, owner: number): Promise<{ mode: number; uid: number; gid: number }> {
  try {
    const { mode, uid, gid } = await stat(path)
    return { mode: mode & 0o7777, uid, gid }
  } catch (error) {
    if (!isMissing(error)) throw error
    return { mode: 0o700, uid: owner, gid: owner }
  }
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
