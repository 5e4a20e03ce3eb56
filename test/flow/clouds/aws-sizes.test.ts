import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { credentials, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'

test('the table of sizes is written anew from what EC2 lists and what the price list says', async () => {
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
    },
    terms: {
      OnDemand: { a: price('0.012'), b: price('0.0048'), c: price('0.02'), d: price('60'), e: price('0.0952') },
    },
  }
  const [prices, out] = [join(folder, 'prices.json'), join(folder, 'sizes.json')]
  await writeFile(prices, JSON.stringify(list))
  const args = ['--region', 'eu-central-1', '--endpoint', cloud.endpoint, '--prices', prices, '--out', out]
  await promisify(execFile)(process.execPath, [join(packageRoot(), 'scripts/refresh-aws-sizes.mjs'), ...args], {
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  })
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual({
    date: '2026-11-01',
    currency: 'USD',
    region: 'eu-central-1',
    publicAddress: 0.005,
    diskGiBMonth: { gp3: 0.0952, gp2: 0.1 },
    sizes: [
      ['t4g.nano', 2, 512, 'arm64', 0.0048],
      ['t3.micro', 2, 1024, 'amd64', 0.012],
    ],
  })
})
