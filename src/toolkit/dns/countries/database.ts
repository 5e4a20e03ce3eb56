import { continentOf } from './continents.ts'
import {
  assemble,
  encode,
  leaves,
  type Mmdb,
  type MmdbValue,
  openMmdb,
  readRecord,
  readValue,
  recordOf,
  writeRecord,
} from './mmdb.ts'

/**
 * A country database as PowerDNS reads it, in MaxMind's layout (`country.iso_code`, `continent.code`): one that has it keeps its values, one
 * of the flat layout (`country_code`) gets others. Throws RangeError saying what is wrong with the file.
 */
export function countryDatabase(bytes: Buffer): Buffer {
  const mmdb = openMmdb(bytes)
  const places = leaves(mmdb)
  const flat = new Map<number, string>()
  for (const place of places) {
    const value = readValue(mmdb, place)
    if (isText(member(member(value, 'country'), 'iso_code')))
      return assemble(mmdb, [bytes.subarray(mmdb.values, mmdb.end)])
    const country = member(value, 'country_code')
    if (isText(country)) flat.set(place, country.toUpperCase())
  }
  if (flat.size === 0)
    throw new RangeError('its values name no country, neither as country.iso_code nor as country_code')
  return inMaxMindLayout(mmdb, flat)
}

/** The same tree, with other values at its leaves; places that have no country lead nowhere. */
function inMaxMindLayout(mmdb: Mmdb, flat: Map<number, string>): Buffer {
  const values: Buffer[] = []
  const records = new Map<number, number>()
  const known = new Map<string, number>()
  let length = 0
  for (const [place, country] of flat) {
    if (!known.has(country)) {
      const continent = continentOf(country)
      const value = encode({ country: { iso_code: country }, ...(continent && { continent: { code: continent } }) })
      known.set(country, recordOf(mmdb, length))
      values.push(value)
      length += value.length
    }
    records.set(recordOf(mmdb, place), known.get(country) ?? mmdb.nodes)
  }
  const changed = { ...mmdb, bytes: Buffer.from(mmdb.bytes.subarray(0, mmdb.values)) }
  for (let node = 0; node < mmdb.nodes; node++) {
    for (const side of [0, 1] as const) {
      const record = readRecord(mmdb, node, side)
      if (record > mmdb.nodes) writeRecord(changed, node, side, records.get(record) ?? mmdb.nodes)
    }
  }
  return assemble(changed, values)
}

function member(value: MmdbValue | undefined, key: string): MmdbValue | undefined {
  return typeof value === 'object' && !Array.isArray(value) && !Buffer.isBuffer(value) ? value[key] : undefined
}

function isText(value: MmdbValue | undefined): value is string {
  return typeof value === 'string' && /^[A-Za-z]{2}$/.test(value)
}
