import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import type { AwsSettings } from '../../../src/providers/aws/settings.ts'
import { type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type AwsConnection, connectAws, make, type Wanted } from './aws-box.ts'

const [amd64, arm64] = ['ami-0d12000000000002', 'ami-0d12000000000004']

describe('aws: what settings and blueprint choose, as it is asked for', () => {
  let cloud: Ec2Cloud
  let one: AwsConnection
  const deployment = newId('dep')

  beforeAll(async () => {
    cloud = await startEc2Cloud()
  })
  afterAll(() => cloud?.close())
  beforeEach(async () => {
    one = await connectAws(cloud)
  })
  afterEach(async () => {
    cloud.faults([])
    const { installation, provider } = one
    for (const { id } of await provider.listMachines({ tags: { installation } })) await provider.destroyMachine(id)
    await provider.release?.({ installation, deployment })
  })

  /** The machine, and what each call asked for. */
  async function asked(settings: Partial<AwsSettings>, wanted: Wanted = {}) {
    const connection = await connectAws(cloud, { installation: one.installation, settings })
    const from = cloud.trace.length
    const machine = await make(connection, { deployment, ...wanted })
    const calls = cloud.trace.slice(from).filter(({ call }) => call === 'RunInstances')
    return { machine, calls: calls.map(({ parameters }) => parameters) }
  }

  test('type, encryption and size of the disk; the image is the least', async () => {
    const plain = { type: 'gp2', encrypted: false } as const
    const { calls } = await asked({ disk: plain }, { disk: 40 })
    expect(calls[0]).toMatchObject({
      'BlockDeviceMapping.1.Ebs.VolumeType': 'gp2',
      'BlockDeviceMapping.1.Ebs.VolumeSize': '40',
      'BlockDeviceMapping.1.Ebs.Encrypted': 'false',
    })
    // moto's images have 15 GiB: EC2 refuses a disk that is smaller than its image.
    const least = await asked({}, { disk: 10 })
    expect(least.calls[0]).toMatchObject({ 'BlockDeviceMapping.1.Ebs.VolumeSize': '15' })
    const spec = await one.provider.resolve({ cpu: 1, memory: 2 ** 29, image: 'debian-13' }, { ordinal: 1 })
    expect(spec.disk).toBe(15 * 2 ** 30)
  })

  test('arm64: image and type', async () => {
    const { calls, machine } = await asked({ architecture: 'arm64' })
    expect(calls[0]).toMatchObject({ ImageId: 'ami-0d13000000000002', InstanceType: 't4g.nano' })
    expect(machine.size).toBe('t4g.nano')
    await expect(asked({ architecture: 'arm64', size: 't3.micro' })).rejects.toMatchObject({
      code: 'not-supported',
      message: 'aws: the size t3.micro of the settings is amd64, and machines are arm64',
    })
  })

  test('an image of their own, with its login user; one of another architecture is refused by name', async () => {
    const images = { golden: { id: amd64, user: 'deploy' } }
    const { calls, machine } = await asked({ images }, { image: 'golden' })
    expect([calls[0]?.ImageId, machine.user]).toEqual([amd64, 'deploy'])
    const instead = await asked({ images: { 'debian-13': { id: amd64, user: 'deploy' } } })
    expect(instead.calls[0]?.ImageId).toBe(amd64)
    const wrong = { images: { golden: { id: arm64, user: 'admin' } } }
    await expect(asked(wrong, { image: 'golden' })).rejects.toMatchObject({
      code: 'not-supported',
      message: 'aws: the image golden is for arm64, not amd64',
    })
    // Others are not kept from being used by it, and the check says it.
    expect((await asked(wrong)).calls).toHaveLength(1)
    const tested = await (await connectAws(cloud, { settings: wrong })).provider.test()
    expect(tested.find(({ name }) => name === 'images')).toMatchObject({ ok: false })
    await expect(asked({}, { image: 'golden' })).rejects.toThrow('there is no image "golden"; known are debian-12')
  })

  test('no room for a size in any zone: the next one where the settings let, and the machine says which', async () => {
    cloud.faults([
      {
        calls: ['RunInstances'],
        containing: 'InstanceType=t3a.nano',
        effect: { code: 'InsufficientInstanceCapacity' },
      },
    ])
    await expect(asked({})).rejects.toMatchObject({ code: 'capacity-exceeded', retryable: false })
    const token = newId('mac')
    const { calls, machine } = await asked({ otherSizes: true }, { token })
    expect(calls.map(({ InstanceType }) => InstanceType)).toEqual(['t3a.nano', 't3a.nano', 't3a.nano', 't3.nano'])
    expect(machine.size).toBe('t3.nano')
    cloud.faults([])
    const again = await asked({ otherSizes: true }, { token })
    expect([again.calls, again.machine.id]).toEqual([[], machine.id])
  })

  test('on spot in every zone, then on demand, then the next size: three others at most', async () => {
    cloud.faults([{ calls: ['RunInstances'], effect: { code: 'InsufficientInstanceCapacity' } }])
    const from = cloud.trace.length
    await expect(asked({ otherSizes: true, spot: true })).rejects.toMatchObject({ code: 'capacity-exceeded' })
    const ways = cloud.trace
      .slice(from)
      .filter(({ call }) => call === 'RunInstances')
      .map(({ parameters }) => [parameters.InstanceType, parameters['InstanceMarketOptions.MarketType'] ?? 'on demand'])
    const each = (size: string) => ['spot', 'on demand'].flatMap((way) => [1, 2, 3].map(() => [size, way]))
    expect(ways).toEqual(['t3a.nano', 't3.nano', 't3a.micro', 't3.micro'].flatMap(each))
  })
})
