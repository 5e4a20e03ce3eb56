import { expect } from 'vitest'
import { startInstallation } from '../../support/installation.ts'
import { startEc2 } from './ec2.ts'
import { testGuestbook } from './guestbook.ts'

testGuestbook('the EC2 test cloud', async (atEnd) => {
  const { cloud, record, machines, firewall, residue } = await startEc2(atEnd)
  const box = await startInstallation(record)
  atEnd(box.stop)
  /** Few calls, none of which says a secret but to the machine itself. */
  async function deployed() {
    expect(cloud.complaints).toEqual([])
    const made = cloud.trace.filter(({ call }) => call === 'RunInstances')
    expect(made).toHaveLength(5)
    const changes = cloud.trace.filter(({ call }) => !call.startsWith('Describe'))
    expect(changes.length).toBeLessThanOrEqual(4 * made.length)
    for (const { parameters } of made) {
      const userData = Buffer.from(parameters.UserData ?? '', 'base64').toString('utf8')
      expect(userData.match(/PRIVATE KEY-----/g)).toHaveLength(2)
      expect(JSON.stringify({ ...parameters, UserData: '' })).not.toMatch(/PRIVATE|password/i)
      expect(parameters['MetadataOptions.HttpTokens']).toBe('required')
    }
  }
  return { box, cloud: 'home', guest: machines.guest, firewall, residue, deployed }
})
