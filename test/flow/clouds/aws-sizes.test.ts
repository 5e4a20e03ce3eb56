import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import table from '../../../src/providers/aws/sizes.json' with { type: 'json' }
import { credentials, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'

test('a region is added to the table, from what EC2 lists and what the price lists say', async () => {
  const cloud = await startEc2Cloud()
  const folder = await mkdtemp(join(tmpdir(), 'kitbag-sizes-'))
  onTestFinished(async () => {
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  })
  const plain = { operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' }
  const price = (USD: string) => ({ term: { priceDimensions: { rate: { pricePerUnit: { USD } } } } })
  const list = {
    publicationDate: '2026-11-01T00:00:00Z',
    products: {
      a: { sku: 'a', attributes: { ...plain, instanceType: 't3.micro' } },
      b: { sku: 'b', attributes: { ...plain, instanceType: 't4g.nano' } },
      c: { sku: 'c', attributes: { ...plain, instanceType: 't3.micro', operatingSystem: 'Windows' } },
      d: { sku: 'd', attributes: { ...plain, instanceType: 'p5.48xlarge' } },
      e: { sku: 'e', productFamily: 'Storage', attributes: { volumeApiName: 'gp3' } },
      f: { sku: 'f', productFamily: 'Storage', attributes: { volumeApiName: 'gp2' } },
    },
    terms: {
      OnDemand: {
        a: price('0.012'),
        b: price('0.0048'),
        c: price('0.02'),
        d: price('60'),
        e: price('0.0952'),
        f: price('0.119'),
      },
    },
  }
  const network = {
    products: {
      idle: { sku: 'idle', attributes: { usagetype: 'EUC1-PublicIPv4:IdleAddress' } },
      used: { sku: 'used', attributes: { usagetype: 'EUC1-PublicIPv4:InUseAddress' } },
    },
    terms: { OnDemand: { idle: price('0.007'), used: price('0.006') } },
  }
  const [prices, addresses, out] = ['prices.json', 'addresses.json', 'sizes.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  await writeFile(prices, JSON.stringify(list))
  await writeFile(addresses, JSON.stringify(network))
  await copyFile(join(packageRoot(), 'src/providers/aws/sizes.json'), out)
  const files = ['--prices', prices, '--addresses', addresses, '--out', out]
  const args = ['--region', 'eu-north-1', '--endpoint', cloud.endpoint, ...files]
  await promisify(execFile)(process.execPath, [join(packageRoot(), 'scripts/refresh-aws-sizes.mjs'), ...args], {
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  })
  const { regions, sizes } = JSON.parse(await readFile(out, 'utf8')) as typeof table
  expect(regions).toEqual([
    ...table.regions,
    {
      region: 'eu-north-1',
      date: '2026-11-01',
      source: "AWS's price list",
      publicAddress: 0.006,
      diskGiBMonth: { gp3: 0.0952, gp2: 0.119 },
    },
  ])
  expect(sizes).toHaveLength(table.sizes.length)
  const found = (wanted: string) => sizes.find(([id]) => id === wanted)
  expect(found('t4g.nano')).toEqual(['t4g.nano', 2, 512, 'arm64', 0.0042, 0.0042, 0.0046, 0.0048, 0.0048])
  expect(found('t3.micro')?.at(-1)).toBe(0.012)
  expect(found('t3.nano')?.at(-1)).toBeNull()
})
