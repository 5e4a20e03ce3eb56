import { type Installation, startInstallation } from '../../support/installation.ts'
import { difference, type MachinePicture, machinePicture } from '../../support/machine-picture.ts'
import { ownedTestMachines } from '../../support/owned-machines.ts'
import type { AtEnd, CloudUnderTest } from './guestbook.ts'

/** Machines that somebody owns, connected as the cloud `metal`. */
export interface Metal extends Pick<CloudUnderTest, 'guest' | 'residue'> {
  box: Installation
  /** As the cloud's settings list them. */
  machines: { name: string; address: string; hostKey: string }[]
  /** Switches those on that are off. */
  powerOn(): Promise<void>
}

/** Accounts of packages, which stay with them. */
const packageAccounts = /^[+] (postgres|haproxy|ssl-cert|pdns|prometheus|mtail)(:|$)/

export async function startMetal(atEnd: AtEnd, count: number): Promise<Metal> {
  const box = await startInstallation()
  atEnd(box.stop)
  const [row] = await box.query('select ssh_public_key from installations')
  const owned = await ownedTestMachines(count, String(row?.ssh_public_key))
  atEnd(owned.close)
  const pictures = () => Promise.all(owned.machines.map(({ guest }) => machinePicture(guest)))
  const machines = owned.machines.map(({ address, hostKey }, i) => ({ name: `metal-${i + 1}`, address, hostKey }))
  await box.client.json('POST', '/v1/clouds', { name: 'metal', provider: 'ssh', settings: { machines } })
  const before = await pictures()
  return {
    box,
    machines,
    powerOn: owned.powerOn,
    async guest(address) {
      const found = owned.machines.find((one) => one.address === address)
      if (!found) throw new Error(`nobody owns a machine at ${address}`)
      return found.guest
    },
    async residue() {
      return (await pictures()).flatMap((picture, i) =>
        Object.entries(difference(before[i] as MachinePicture, picture)).flatMap(([part, lines]) =>
          lines
            .filter((line) => !(['users', 'groups'].includes(part) && packageAccounts.test(line)))
            .map((line) => `${part} of metal-${i + 1}: ${line}`),
        ),
      )
    },
  }
}
