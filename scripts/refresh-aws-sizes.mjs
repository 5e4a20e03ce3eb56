#!/usr/bin/env node
// Brings one region of src/providers/aws/sizes.json up to date, or adds it: what types have, from EC2 itself (DescribeInstanceTypes, with
// the credentials of AWS's own chain), and what they, disks and public addresses cost, from AWS's public price lists (no account needed).
// `--prices FILE` and `--addresses FILE` take price lists (of AmazonEC2, of AmazonVPC) that are there already.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EC2Client, paginateDescribeInstanceTypes } from '@aws-sdk/client-ec2'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const own = join(root, 'src/providers/aws/sizes.json')
const { values } = parseArgs({
  options: {
    region: { type: 'string', default: 'us-east-1' },
    endpoint: { type: 'string' },
    prices: { type: 'string' },
    addresses: { type: 'string' },
    out: { type: 'string', default: own },
  },
})
const { region, endpoint, prices, addresses, out } = values

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

/** The list of one of AWS's services, from a file or from AWS. */
async function readPriceList(service, file) {
  if (file) return JSON.parse(readFileSync(file, 'utf8'))
  const address = `https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/${service}/current/${region}/index.json`
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: status ${response.status}`)
  return response.json()
}

/** Products that pass, with their dollars on demand; free tiers, reservations and the like have none. */
function priced({ products, terms }, wanted) {
  return Object.values(products).flatMap(({ sku, productFamily, attributes }) => {
    if (!wanted({ productFamily, ...attributes })) return []
    const [offer] = Object.values(terms.OnDemand[sku] ?? {})
    const prices = Object.values(offer?.priceDimensions ?? {}).map(({ pricePerUnit }) => Number(pricePerUnit.USD))
    const price = Math.max(0, ...prices)
    return price > 0 ? [{ attributes, price }] : []
  })
}

/** The one price of what passes. Throws when the list has none. */
function priceOf(list, what, wanted) {
  const [found] = priced(list, wanted)
  if (found) return found.price
  throw new Error(`the price list of ${region} has no price of ${what}`)
}

const plain = { operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' }
const isPlain = (found) => Object.entries(plain).every(([name, value]) => found[name] === value)

const [types, list, network] = await Promise.all([
  readTypes(),
  readPriceList('AmazonEC2', prices),
  readPriceList('AmazonVPC', addresses),
])
const hourly = new Map(priced(list, isPlain).map(({ attributes, price }) => [attributes.instanceType, price]))
if (!types.some(([id]) => hourly.has(id))) {
  throw new Error(`the price list has none of the ${types.length} types of ${region}`)
}

const disk = (type) =>
  priceOf(list, `${type} disks`, (found) => found.productFamily === 'Storage' && found.volumeApiName === type)
const entry = {
  region,
  date: String(list.publicationDate ?? new Date().toISOString()).slice(0, 10),
  source: "AWS's price list",
  publicAddress: priceOf(network, 'public addresses', ({ usagetype = '' }) =>
    /(^|-)PublicIPv4:InUseAddress$/.test(usagetype),
  ),
  diskGiBMonth: { gp3: disk('gp3'), gp2: disk('gp2') },
}

const before = JSON.parse(readFileSync(existsSync(out) ? out : own, 'utf8'))
const place = before.regions.findIndex((one) => one.region === region)
const column = place === -1 ? before.regions.length : place
const regions = [...before.regions]
regions[column] = entry
const rows = new Map(before.sizes.map((row) => [row[0], row]))
for (const [id, ...what] of types) {
  const [, , , , ...known] = rows.get(id) ?? []
  if (rows.has(id) || hourly.has(id)) rows.set(id, [id, ...what, ...known])
}
const sizes = [...rows.values()].map((row) => {
  const [first, cpu, memory, architecture, ...known] = row
  known[column] = hourly.get(first) ?? null
  return [first, cpu, memory, architecture, ...regions.map((_, i) => known[i] ?? null)]
})
const dearest = Number.POSITIVE_INFINITY
sizes.sort((a, b) => (a[4] ?? dearest) - (b[4] ?? dearest) || (a[0] < b[0] ? -1 : 1))

const head = JSON.stringify({ currency: 'USD', regions }, undefined, 2).slice(0, -2)
const body = sizes.map((row) => `    ${JSON.stringify(row).replaceAll(',', ', ')}`).join(',\n')
writeFileSync(out, `${head},\n  "sizes": [\n${body}\n  ]\n}\n`)
const count = sizes.filter((row) => row[4 + column] !== null).length
console.error(`${out}: prices of ${count} types of ${region}, of ${entry.date}`)
