import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { preferredAddress } from '../../src/model/machine.ts'
import { localPaths } from '../../src/providers/local/paths.ts'
import { generateKeyPair } from '../../src/shell/keys.ts'
import { type LocalBox, localBox } from '../e2e/providers/local-box.ts'
import { newKeyPair, runOnceUp } from '../e2e/providers/ssh-login.ts'
import { type Guest, guestOf } from './guest.ts'

/** A real machine on this box that stands for one that somebody owns. */
export interface OwnedTestMachine {
  id: string
  address: string
  /** Its whole public host key. */
  hostKey: string
  guest: Guest
}

export interface OwnedTestMachines {
  machines: OwnedTestMachine[]
  /** Switches those on that are off; returns when they answer. */
  powerOn(): Promise<void>
  /** Destroys them; throws when something of them is left on the box. */
  close(): Promise<void>
}

/** Machines that let `publicKey` in as `debian`, and nothing more; up when this returns. */
export async function ownedTestMachines(
  count: number,
  publicKey: string,
  image = 'debian-13',
): Promise<OwnedTestMachines> {
  const login = newKeyPair()
  const box = await localBox('owned')
  const close = async () => {
    const made = await box.provider.listMachines({ tags: { installation: box.installation } })
    await Promise.all(made.map(({ id }) => box.provider.destroyMachine(id)))
    const left = await box.provider.residue?.(box.installation)
    await box.close()
    if (left?.length) throw new Error(`left on the box: ${left.join(', ')}`)
  }
  try {
    const made = await Promise.all(
      Array.from({ length: count }, (_, i) => make(box, `owned-${i + 1}`, { ...login, others: [publicKey] }, image)),
    )
    const powerOn = async () => {
      for (const { id, ensure } of made) {
        const off = localPaths(box.environment.home).machine(id).stopped
        if (!existsSync(off)) continue
        await rm(off)
        await ensure()
      }
    }
    return { machines: made, powerOn, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function make(
  box: LocalBox,
  name: string,
  login: { publicKey: string; privateKey: string; others: string[] },
  image: string,
): Promise<OwnedTestMachine & { ensure(): Promise<void> }> {
  const hostKey = generateKeyPair(name)
  const spec = await box.provider.resolve({ cpu: 2, memory: 1024 ** 3, image }, { ordinal: 1 })
  const tags = { installation: box.installation, deployment: 'dep_owner', machine: name }
  const request = { name, spec, hostKey, authorizedKeys: [login.publicKey, ...login.others], component: 'owned' }
  const boot = () => box.provider.createMachine(request, { token: name, tags })
  const { id, addresses } = await boot()
  const address = preferredAddress(addresses)?.address ?? ''
  // Who may log in already does not see the last of its boot. With `--wait` systemctl can miss the end, and waits for ever.
  const booted = 'systemctl is-system-running | grep -qx -e running -e degraded'
  const up = async () => {
    await runOnceUp({ address, privateKey: login.privateKey, hostKey: hostKey.publicKey }, booted)
  }
  await up()
  const ensure = async () => {
    await boot()
    await up()
  }
  const guest = guestOf(join(box.environment.home, 'local/machines', id))
  return { id, address, hostKey: hostKey.publicKey.split(' ').slice(0, 2).join(' '), guest, ensure }
}
