import { expect } from 'vitest'
import { testGuestbook } from './guestbook.ts'
import { startMetal } from './metal.ts'

const again = `
apiVersion: kitbag/v1
name: again
components:
  db: { recipe: postgresql, settings: { database: again } }
`

testGuestbook('machines that somebody owns', async (atEnd) => {
  const { box, machines, guest, powerOn, residue } = await startMetal(atEnd, 7)
  let database: unknown
  return {
    box,
    cloud: 'metal',
    guest,
    residue,
    async deployed() {
      const shown = await box.show('guestbook')
      const address = shown.machines.find(({ name }) => name === 'db-1')?.address
      database = machines.find((one) => one.address === address)
    },
    async destroyed() {
      // The machine that died is back: it still carries its mark, and is given back now.
      await powerOn()
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
  }
})
