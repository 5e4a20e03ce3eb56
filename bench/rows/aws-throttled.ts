import { newId } from '../../src/model/ids.ts'
import { driver } from '../../src/providers/aws/driver.ts'
import { credentials, startEc2Cloud } from '../../test/clouds/ec2/ec2-cloud.ts'
import type { Bench, Family } from '../support/bench.ts'
import type { Measured } from '../support/row.ts'

const machines = 100
const throttle = { rate: 5, burst: 5 }
/** Seconds that the throttle alone takes for one call per machine. */
const allowed = (machines - throttle.burst) / throttle.rate

/** Makes machines all at once at a control plane of EC2 that answers so many calls a second, and waits until each is seen running. */
async function run({ cleanup }: Bench): Promise<Measured[]> {
  const cloud = await startEc2Cloud()
  cleanup.add('EC2 test cloud', cloud.close)
  const installation = newId('ins')
  const settings = driver.settings.parse(cloud.settings)
  const environment = { installation, home: '/nowhere', cache: '/nowhere', log: () => {} }
  const provider = await driver.connect({ name: 'aws', settings, credentials: { ...credentials } }, environment)
  await provider.catalog()
  const before = cloud.trace.length
  cloud.throttle(throttle)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: machines }, async (_, i) => {
      const requirements = { cpu: 1, memory: 2 ** 30, image: 'debian-13' }
      const spec = await provider.resolve(requirements, { ordinal: i + 1 })
      const hostKey = { privateKey: 'of the machine', publicKey: 'ssh-ed25519 AAAA' }
      const request = { name: `web-${i + 1}`, component: 'web', spec, hostKey, authorizedKeys: ['ssh-ed25519 BBBB'] }
      const token = newId('mac')
      const tags = { installation, deployment: 'dep', machine: token }
      const { id } = await provider.createMachine(request, { token, tags })
      while ((await provider.getMachine(id))?.status !== 'running');
    }),
  )
  const seconds = (performance.now() - began) / 1_000
  const answered = cloud.trace.slice(before).filter(({ refused }) => !refused)
  const made = answered.filter(({ call }) => call === 'RunInstances').length
  const detail = `${seconds.toFixed(1)} s against ${allowed} s; ${answered.length} calls answered, ${made} of them RunInstances`
  return [{ value: seconds / allowed, holds: made === machines, detail }]
}

export const awsThrottled: Family = {
  name: 'aws-throttled',
  rows: [
    {
      name: 'aws-throttled',
      what: `${machines} machines at the EC2 test cloud, which answers ${throttle.rate} calls a second, against one call each`,
      unit: 'x',
      bar: { atMost: 1.2 },
    },
  ],
  run,
}
