import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import aws from '../../../src/providers/aws/sizes.json' with { type: 'json' }
import azure from '../../../src/providers/azure/prices.json' with { type: 'json' }
import { costs } from '../../../src/providers/index.ts'

const gibibyte = 2 ** 30
const spec = (size: string, disk?: number) => ({
  size,
  image: 'Debian:debian-13:13-gen2:0.20251006.2257',
  requirements: { cpu: 1, memory: gibibyte, image: 'debian-13', ...(disk && { disk: disk * gibibyte }) },
})
const subscription = '00000000-0000-0000-0000-000000000000'

async function costOf(kind: keyof typeof costs, settings: JsonObject, size: string, disk?: number) {
  return (await costs[kind]())(settings)(spec(size, disk))
}

describe('aws', () => {
  test('machine, disk and address of 730 hours, with the date of the prices', async () => {
    expect(await costOf('aws', { region: 'us-east-1' }, 't3a.micro', 73)).toEqual({
      machine: 6.862,
      disk: 5.84,
      address: 3.65,
      currency: 'USD',
      prices: { of: 'aws us-east-1', date: '2026-01-19', source: "AWS's price list" },
      unknown: null,
      atMost: false,
    })
  })

  test.each([
    ['us-east-1', 't3.medium', 0.0416, 0.08],
    ['us-west-2', 't3.medium', 0.0416, 0.08],
    ['eu-west-1', 't3.medium', 0.0456, 0.088],
    ['eu-central-1', 't3.medium', 0.048, 0.0952],
    ['eu-central-1', 'm6i.large', 0.115, 0.0952],
    ['eu-west-1', 'm6i.large', 0.107, 0.088],
  ])('%s: %s for %d an hour, disks for %d a GiB', async (region, size, hourly, disk) => {
    const cost = await costOf('aws', { region }, size, 100)
    expect(cost.machine).toBeCloseTo(hourly * 730, 4)
    expect(cost.disk).toBeCloseTo(disk * 100, 4)
  })

  test('by the settings: the type of disk, no public address, spot as on demand at most', async () => {
    const own = { region: 'us-east-1', disk: { type: 'gp2' }, publicAddresses: false, reach: 'private', spot: true }
    expect(await costOf('aws', own, 't3a.micro')).toMatchObject({ disk: 0.8, address: 0, machine: 6.862, atMost: true })
  })

  test('a disk is as large as its image at least', async () => {
    const price = (await costs.aws())({ region: 'us-east-1' })
    expect(price({ ...spec('t3a.micro', 10), disk: 30 * gibibyte }).disk).toBe(2.4)
    expect(price({ ...spec('t3a.micro', 40), disk: 30 * gibibyte }).disk).toBe(3.2)
  })

  test('a region or type without prices is not known, and says what brings them', async () => {
    const far = await costOf('aws', { region: 'sa-east-1' }, 't3a.micro')
    expect(far).toMatchObject({ machine: null, disk: null, address: null, prices: null })
    expect(far.unknown).toContain('node scripts/refresh-aws-sizes.mjs --region sa-east-1')
    const huge = await costOf('aws', { region: 'us-east-1' }, 'x99.huge')
    expect(huge).toMatchObject({ machine: null, disk: 0.64, address: 3.65 })
    expect(huge.unknown).toContain('x99.huge')
  })

  test('every type has a price in every region, or none that is said; all of a family cost in proportion', () => {
    const known = aws.sizes.flatMap(([id, , , , ...prices]) => prices.map((price, i) => ({ id: String(id), i, price })))
    expect(known.filter(({ price }) => price !== null && !(Number(price) > 0))).toEqual([])
    const factor = (id: string) => {
      const size = id.split('.')[1] ?? ''
      const small = { nano: 1 / 16, micro: 1 / 8, small: 1 / 4, medium: 1 / 2, large: 1, xlarge: 2 }
      return small[size as keyof typeof small] ?? 2 * Number.parseInt(size, 10)
    }
    for (const { id, i, price } of known) {
      const family = `${id.split('.')[0]}.large`
      const large = known.find((one) => one.id === family && one.i === i)?.price
      if (price !== null && large) expect(Number(price) / factor(id) / Number(large), id).toBeCloseTo(1, 1)
    }
    expect(aws.sizes.every((row) => row.length === 4 + aws.regions.length)).toBe(true)
  })
})

describe('azure', () => {
  const settings = (more: JsonObject = {}) => ({ subscription, region: 'eastus', ...more })

  test('machine, disk and address of 730 hours; a disk is charged as the next larger one', async () => {
    const cost = await costOf('azure', settings(), 'Standard_D2s_v5', 33)
    expect(cost).toMatchObject({ machine: 70.08, disk: 4.8, address: 3.65, currency: 'USD', unknown: null })
    expect(cost.prices).toMatchObject({ of: 'azure eastus', date: azure.regions[0]?.date })
    const own = settings({ publicAddresses: false, disk: 'Premium_LRS', spot: true, reach: 'private' })
    expect(await costOf('azure', own, 'Standard_D2s_v5')).toMatchObject({ disk: 5.28, address: 0, atMost: true })
  })

  test('what is not in the table is not known, and says what brings it', async () => {
    const far = await costOf('azure', settings({ region: 'westeurope' }), 'Standard_D2s_v5')
    expect(far).toMatchObject({ machine: null, disk: null, address: null })
    expect(far.unknown).toContain('node scripts/azure-prices.mjs westeurope')
    const odd = await costOf('azure', settings(), 'Standard_X')
    expect(odd).toMatchObject({
      machine: null,
      disk: 2.4,
      address: 3.65,
      unknown: expect.stringContaining('Standard_X'),
    })
    const own = (await costs.azure())(settings())({
      ...spec('Standard_D2s_v5'),
      image: '/subscriptions/x/images/golden',
    })
    expect(own).toMatchObject({ machine: 70.08, disk: null, unknown: expect.stringContaining('disk of an own image') })
    const large = await costOf('azure', settings(), 'Standard_D2s_v5', 5000)
    expect(large).toMatchObject({ disk: null, unknown: expect.stringContaining('no disk as large') })
  })
})

test('machines on the own box cost nothing, or what the cloud says', async () => {
  expect(await costOf('local', {}, '')).toMatchObject({ machine: 0, disk: 0, address: 0, unknown: null })
  const cost = await costOf('local', { hourlyPrice: { cpu: 0.02, memory: 0.005 } }, '')
  expect(cost).toMatchObject({ machine: 18.25, disk: 0, address: 0, currency: null })
})

test('prices are read without any SDK of a cloud', () => {
  const seen = new Map<string, string[]>()
  const walk = (file: string) => {
    if (seen.has(file)) return
    const text = readFileSync(file, 'utf8')
    const imports = [...text.matchAll(/^(?:import|export)\s+(?!type\s)[^'";]*?from\s+'([^']+)'/gm)].map(
      ([, name = '']) => name,
    )
    seen.set(
      file,
      imports.filter((name) => !name.startsWith('.')),
    )
    for (const name of imports) if (name.endsWith('.ts')) walk(resolve(dirname(file), name))
  }
  for (const kind of Object.keys(costs)) walk(join(packageRoot(), `src/providers/${kind}/costs.ts`))
  expect(seen.size).toBeGreaterThan(8)
  const bare = [...seen.values()].flat().filter((name) => !name.startsWith('node:'))
  expect([...new Set(bare)]).toEqual(['zod'])
})
