import { guestAt } from '../../support/guest.ts'
import { startInstallation } from '../../support/installation.ts'
import { testGuestbook } from './guestbook.ts'

testGuestbook('local machines', async (atEnd) => {
  const box = await startInstallation()
  atEnd(box.stop)
  return { box, cloud: 'home', guest: (address) => guestAt(box.home, address), residue: box.residue }
})
