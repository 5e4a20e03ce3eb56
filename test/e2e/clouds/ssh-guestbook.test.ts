import { expect } from 'vitest'
import { startInstallation } from '../../support/installation.ts'
import { difference, type MachinePicture, machinePicture } from '../../support/machine-picture.ts'
import { ownedTestMachines } from '../../support/owned-machines.ts'
import { testGuestbook } from './guestbook.ts'

const again = `
apiVersion: kitbag/v1
name: again
components:
  db: { recipe: postgresql, settings: { database: again } }
`

testGuestbook('machines that somebody owns', async (atEnd) => {
  const box = await startInstallation()
  atEnd(box.stop)
  const [row] = await box.query('select ssh_public_key from installations')
  const owned = await ownedTestMachines(7, String(row?.ssh_public_key))
  atEnd(owned.close)
  const pictures = () => Promise.all(owned.machines.map(({ guest }) => machinePicture(guest)))
  const machines = owned.machines.map(({ address, hostKey }, i) => ({ name: `metal-${i + 1}`, address, hostKey }))
  await box.client.json('POST', '/v1/clouds', { name: 'metal', provider: 'ssh', settings: { machines } })
  const before = await pictures()
  let database: unknown
  return {
    box,
    cloud: 'metal',
    async guest(address) {
      const found = owned.machines.find((one) => one.address === address)
      if (!found) throw new Error(`nobody owns a machine at ${address}`)
      return found.guest
    },
    async deployed() {
      const shown = await box.show('guestbook')
      const address = shown.machines.find(({ name }) => name === 'db-1')?.address
      database = machines.find((one) => one.address === address)
    },
    async destroyed() {
      // The machine that died is back: it still carries its mark, and is given back now.
      await owned.powerOn()
      const { machines: swept } = await box.client.json<{ machines: { removed: boolean }[] }>('POST', '/v1/sweep', {
        remove: true,
      })
      expect(swept.map(({ removed }) => removed)).toEqual([true])
      // One can be claimed again, packages and all.
      await box.client.json('PUT', '/v1/clouds/metal', { settings: { machines: [database] } })
      for (const body of [
        { kind: 'deploy', blueprint: { text: again }, cloud: 'metal' },
        { kind: 'destroy', allowDataLoss: ['db'] },
      ]) {
        const { status, error } = await box.finished(await box.submit('again', body))
        expect([status, error]).toEqual(['succeeded', null])
      }
      await box.client.json('PUT', '/v1/clouds/metal', { settings: { machines } })
    },
    /** Packages stay, with their accounts. */
    async residue() {
      const packageAccounts = /^[+] (postgres|haproxy|ssl-cert|pdns|prometheus|mtail)(:|$)/
      return (await pictures()).flatMap((picture, i) =>
        Object.entries(difference(before[i] as MachinePicture, picture)).flatMap(([part, lines]) =>
          lines
            .filter((line) => !(['users', 'groups'].includes(part) && packageAccounts.test(line)))
            .map((line) => `${part} of metal-${i + 1}: ${line}`),
        ),
      )
    },
  }
})
