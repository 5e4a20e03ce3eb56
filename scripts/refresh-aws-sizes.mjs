#!/usr/bin/env node
// Writes src/providers/aws/sizes.json anew: what types have, from EC2 itself (DescribeInstanceTypes, with the credentials of AWS's own
// chain), and what they cost, from AWS's public price list of the region. `--prices FILE` takes a price list that is there already.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EC2Client, paginateDescribeInstanceTypes } from '@aws-sdk/client-ec2'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({
  options: {
    region: { type: 'string', default: 'us-east-1' },
    endpoint: { type: 'string' },
    prices: { type: 'string' },
    out: { type: 'string', default: join(root, 'src/providers/aws/sizes.json') },
  },
})
const { region, endpoint, prices: file, out } = values

/** Families for all kinds of work; nothing with accelerators, local disks or a metal of its own. */
const families = /^(t3|t3a|t4g|[cmr]6[ai]|[cmr]7[ig]|[cmr]8g)\.(nano|micro|small|medium|(\d+)?x?large)$/
const mostCpu = 64

async function readTypes() {
  const client = new EC2Client({ region, ...(endpoint && { endpoint }) })
  const found = []
  for await (const { InstanceTypes = [] } of paginateDescribeInstanceTypes({ client }, {})) {
    for (const type of InstanceTypes) {
      const cpu = type.VCpuInfo?.DefaultVCpus ?? 0
      if (!families.test(type.InstanceType) || cpu > mostCpu) continue
      const arm = type.ProcessorInfo?.SupportedArchitectures?.includes('arm64')
      found.push([type.InstanceType, cpu, type.MemoryInfo?.SizeInMiB ?? 0, arm ? 'arm64' : 'amd64'])
    }
  }
  return found
}

async function readPriceList() {
  if (file) return JSON.parse(readFileSync(file, 'utf8'))
  const address = `https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/${region}/index.json`
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: status ${response.status}`)
  return response.json()
}

/** Dollars of the one product on demand that passes; undefined: there is none. */
function priceOf({ products, terms }, wanted) {
  const product = Object.values(products).find(({ productFamily, attributes }) =>
    wanted({ productFamily, ...attributes }),
  )
  const [offer] = Object.values(terms.OnDemand[product?.sku] ?? {})
  const [dimension] = Object.values(offer?.priceDimensions ?? {})
  return dimension && Number(dimension.pricePerUnit.USD)
}

const plain = { operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' }
const isPlain = (found) => Object.entries(plain).every(([name, value]) => found[name] === value)

const [types, list] = await Promise.all([readTypes(), readPriceList()])
const priced = new Map()
for (const { sku, attributes } of Object.values(list.products)) {
  if (!isPlain(attributes)) continue
  const [offer] = Object.values(list.terms.OnDemand[sku] ?? {})
  const [dimension] = Object.values(offer?.priceDimensions ?? {})
  if (dimension) priced.set(attributes.instanceType, Number(dimension.pricePerUnit.USD))
}
const rows = types
  .filter(([id]) => priced.get(id) > 0)
  .map((row) => [...row, priced.get(row[0])])
  .sort((a, b) => a[4] - b[4] || (a[0] < b[0] ? -1 : 1))
if (rows.length === 0) throw new Error(`the price list has none of the ${types.length} types of ${region}`)

const before = JSON.parse(readFileSync(join(root, 'src/providers/aws/sizes.json'), 'utf8'))
const disk = (volumeApiName) =>
  priceOf(list, (found) => found.productFamily === 'Storage' && found.volumeApiName === volumeApiName) ??
  before.diskGiBMonth[volumeApiName]
const table = {
  date: String(list.publicationDate ?? new Date().toISOString()).slice(0, 10),
  currency: 'USD',
  region,
  publicAddress: before.publicAddress,
  diskGiBMonth: { gp3: disk('gp3'), gp2: disk('gp2') },
}
const head = JSON.stringify(table, undefined, 2).slice(0, -2)
const body = rows.map((row) => `    ${JSON.stringify(row).replaceAll(',', ', ')}`).join(',\n')
writeFileSync(out, `${head},\n  "sizes": [\n${body}\n  ]\n}\n`)
console.error(`${out}: ${rows.length} types of ${region}, prices of ${table.date}`)
