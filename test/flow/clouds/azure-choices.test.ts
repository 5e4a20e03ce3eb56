import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { ownImages } from '../../clouds/azure/offers.ts'
import { clear, make, type Wanted } from './azure-box.ts'

describe('azure: what settings and blueprint choose, as it is asked for', () => {
  let cloud: AzureCloud

  beforeEach(async () => {
    cloud = await startAzureCloud()
  })
  afterEach(async () => {
    await clear(await connectTo(cloud))
    await cloud.close()
  })

  /** The machine that was made, as the cloud has it. */
  async function made(settings: Record<string, unknown>, wanted: Wanted = {}) {
    const machine = await make(await connectTo(cloud, 'ins_one', settings), wanted)
    const [vm] = cloud.world.list('Microsoft.Compute/virtualMachines')
    return { machine, properties: vm?.properties as Record<string, Record<string, unknown>> }
  }

  test('type and size of the disk', async () => {
    const { properties } = await made({ disk: 'Premium_LRS' }, { disk: 100 })
    expect(properties.storageProfile?.osDisk).toMatchObject({
      diskSizeGB: 100,
      managedDisk: { storageAccountType: 'Premium_LRS' },
    })
  })

  test('arm64: image and size', async () => {
    const { properties, machine } = await made({ architecture: 'arm64' })
    expect(properties.hardwareProfile).toEqual({ vmSize: 'Standard_B2pts_v2' })
    expect(properties.storageProfile?.imageReference).toMatchObject({ offer: 'debian-13', sku: '13-arm64' })
    expect(machine.size).toBe('Standard_B2pts_v2')
  })

  test('an image of their own by a word of the settings; its disk is as large as the image, or as asked for', async () => {
    const [id = ''] = Object.keys(ownImages)
    const images = { golden: { id } }
    const { properties } = await made({ images }, { image: 'golden' })
    expect(properties.storageProfile?.imageReference).toEqual({ id })
    expect(properties.storageProfile?.osDisk).not.toHaveProperty('diskSizeGB')
    await expect(made({ images }, { image: 'golden', disk: 40, ordinal: 2 })).rejects.toThrow(/40 GB is smaller.*64 GB/)
    await expect(made({ images }, { image: 'silver' })).rejects.toThrow(
      'there is no image "silver"; known are debian-12',
    )
    const { images: known } = await (await connectTo(cloud, 'ins_one', { images })).catalog()
    expect(known).toContainEqual({ word: 'golden', id })
  })

  test('an own image by publisher:offer:sku:version', async () => {
    const images = { pinned: { id: 'Debian:debian-13:13-gen2:0.20250814.2204' } }
    const { properties } = await made({ images }, { image: 'pinned' })
    expect(properties.storageProfile?.imageReference).toMatchObject({ sku: '13-gen2', version: '0.20250814.2204' })
  })

  test('a named size is the only one: where a zone does not have it, that is said; an unknown zone too', async () => {
    const named = { size: 'Standard_B2als_v2' }
    await expect(made(named, { zones: ['3'] })).rejects.toThrow('no zone of 3 in eastus has such a size')
    await expect(made({}, { zones: ['1', '9'] })).rejects.toThrow('no zone of 9 in eastus')
    const lenient = await made({ ...named, otherSizes: true }, { zones: ['3'] })
    expect(lenient.properties.hardwareProfile).toEqual({ vmSize: 'Standard_B2ts_v2' })
  })

  test('another size than planned is told, so that its cost is that of what there is', async () => {
    cloud.faults.fullSizes = ['Standard_B2ts_v2']
    expect((await made({ otherSizes: true })).machine.size).toBe('Standard_B2als_v2')
  })
})
