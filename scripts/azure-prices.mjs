#!/usr/bin/env node
// Brings one region of src/providers/azure/prices.json up to date, or adds it: what the sizes that the file has, disks and public addresses
// cost, from Azure's public retail price list (no account needed). `node scripts/azure-prices.mjs [REGION]`; AZURE_PRICES_URL is where the
// list is, for tests.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file =
  process.env.AZURE_PRICES_FILE ?? fileURLToPath(new URL('../src/providers/azure/prices.json', import.meta.url))
const list = process.env.AZURE_PRICES_URL ?? 'https://prices.azure.com/api/retail/prices'

/** Every entry that a filter of the list gives, over all its pages. */
async function entries(filter) {
  const found = []
  for (let url = `${list}?${new URLSearchParams({ $filter: filter })}`; url; ) {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    const { Items, NextPageLink } = await response.json()
    found.push(...Items)
    url = NextPageLink
  }
  return found
}

/** Pay as you go: no reservation, no spot, no Windows. */
function isPlain({ type, skuName, productName, meterName }) {
  return (
    type === 'Consumption' &&
    !/spot|low priority/i.test(`${skuName} ${meterName}`) &&
    !/windows|cloud services/i.test(productName)
  )
}

/** Types of disks, as the list calls them and their rows: GiB by name. */
const disks = {
  Standard_LRS: ['Standard HDD Managed Disks', 'S'],
  StandardSSD_LRS: ['Standard SSD Managed Disks', 'E'],
  Premium_LRS: ['Premium SSD Managed Disks', 'P'],
}
const rows = { 4: 32, 6: 64, 10: 128, 15: 256, 20: 512, 30: 1024, 40: 2048, 50: 4096 }

/** Of one type of disk: GiB and price of a month, smallest first. Not what is paid for operations or mounts. */
function diskRows(found, [product, letter]) {
  const table = Object.entries(rows).flatMap(([number, gibibytes]) => {
    const meter = new RegExp(`^${letter}${number} (LRS )?Disks?$`)
    const entry = found.find(
      ({ productName, meterName, unitOfMeasure, type }) =>
        type === 'Consumption' && productName === product && unitOfMeasure === '1/Month' && meter.test(meterName),
    )
    return entry ? [[gibibytes, entry.retailPrice]] : []
  })
  if (table.length === 0) throw new Error(`the list has no price of ${product}`)
  return table.sort(([a], [b]) => a - b)
}

async function main() {
  const table = JSON.parse(readFileSync(file, 'utf8'))
  const region = process.argv[2] ?? table.regions[0].region
  const here = `armRegionName eq '${region}' and priceType eq 'Consumption'`
  const machines = await entries(`serviceName eq 'Virtual Machines' and ${here}`)
  const storage = await entries(`serviceName eq 'Storage' and ${here}`)
  // The list gives addresses for all regions together, or for each.
  const network = await entries(
    `serviceName eq 'Virtual Network' and productName eq 'IP Addresses' and priceType eq 'Consumption'`,
  )
  const prices = new Map(machines.filter(isPlain).map(({ armSkuName, retailPrice }) => [armSkuName, retailPrice]))
  const known = table.sizes.filter(({ id }) => prices.has(id))
  if (known.length === 0) throw new Error(`the list has no price of any known size in ${region}`)
  const isAddress = ({ meterName, unitOfMeasure, retailPrice }) =>
    meterName === 'Standard IPv4 Static Public IP' && unitOfMeasure === '1 Hour' && retailPrice > 0
  const addresses = network.filter(isAddress)
  const address = addresses.find(({ armRegionName }) => armRegionName === region) ?? addresses[0]
  if (!address) throw new Error('the list has no price of a static public address')

  const place = table.regions.findIndex((one) => one.region === region)
  const column = place === -1 ? table.regions.length : place
  table.regions[column] = {
    region,
    date: new Date().toISOString().slice(0, 10),
    source: 'Azure retail list prices: Linux, pay as you go',
    publicAddressHourly: address.retailPrice,
    disksMonthly: Object.fromEntries(Object.entries(disks).map(([kind, names]) => [kind, diskRows(storage, names)])),
  }
  const sizes = table.sizes.map(({ hourly, ...size }) => {
    const all = table.regions.map((_, i) => (i === column ? prices.get(size.id) : hourly[i]) ?? null)
    return { ...size, hourly: all }
  })
  const dearest = Number.POSITIVE_INFINITY
  sizes.sort((a, b) => (a.hourly[0] ?? dearest) - (b.hourly[0] ?? dearest) || (a.id < b.id ? -1 : 1))
  const lines = sizes.map((size) => `    ${JSON.stringify(size)}`).join(',\n')
  const text = JSON.stringify({ ...table, sizes: [] }, null, 2).replace('"sizes": []', `"sizes": [\n${lines}\n  ]`)
  writeFileSync(file, `${text}\n`)
  console.log(`${known.length} of ${table.sizes.length} sizes, disks and addresses in ${region}`)
}

try {
  await main()
} catch (error) {
  console.error(`azure-prices: ${error.message}`)
  process.exit(1)
}
