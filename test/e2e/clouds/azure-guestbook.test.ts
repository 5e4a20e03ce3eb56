import { startInstallation } from '../../support/installation.ts'
import { startAzure } from './azure.ts'
import { testGuestbook } from './guestbook.ts'

testGuestbook('the Azure test cloud', async (atEnd) => {
  const { record, machines, firewall, residue } = await startAzure(atEnd, { open: true })
  const box = await startInstallation(record)
  atEnd(box.stop)
  return { box, cloud: 'home', guest: machines.guest, firewall, residue }
})
