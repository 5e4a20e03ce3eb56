#!/usr/bin/env node
// Writes src/providers/azure/prices.json anew for a region: prices from Azure's public retail price list (no account needed), of the sizes
// that the file has. `node scripts/azure-prices.mjs [REGION]`; AZURE_PRICES_URL is where the list is, for tests.
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

async function main() {
  const table = JSON.parse(readFileSync(file, 'utf8'))
  const region = process.argv[2] ?? table.region
  const machines = await entries(
    `serviceName eq 'Virtual Machines' and armRegionName eq '${region}' and priceType eq 'Consumption'`,
  )
  const prices = new Map(machines.filter(isPlain).map(({ armSkuName, retailPrice }) => [armSkuName, retailPrice]))
  const sizes = table.sizes.flatMap((size) => (prices.has(size.id) ? [{ ...size, hourly: prices.get(size.id) }] : []))
  if (sizes.length === 0) throw new Error(`the list has no price of any known size in ${region}`)
  sizes.sort((a, b) => a.hourly - b.hourly || (a.id < b.id ? -1 : 1))
  const head = { ...table, date: new Date().toISOString().slice(0, 10), region }
  const lines = sizes.map((size) => `    ${JSON.stringify(size)}`).join(',\n')
  const text = JSON.stringify({ ...head, sizes: [] }, null, 2).replace('"sizes": []', `"sizes": [\n${lines}\n  ]`)
  writeFileSync(file, `${text}\n`)
  console.log(`${sizes.length} of ${table.sizes.length} sizes in ${region}; disks and addresses are as they were`)
}

try {
  await main()
} catch (error) {
  console.error(`azure-prices: ${error.message}`)
  process.exit(1)
}
