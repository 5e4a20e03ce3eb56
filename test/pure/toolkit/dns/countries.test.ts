import { describe, expect, test } from 'vitest'
import type { PrepareInput } from '../../../../src/toolkit/contract.ts'
import { countriesArchive, uploadedDatabase } from '../../../../src/toolkit/dns/countries/archive.ts'
import { continentOf, countries } from '../../../../src/toolkit/dns/countries/continents.ts'
import { countryDatabase } from '../../../../src/toolkit/dns/countries/database.ts'
import { emptyMmdb, leaves, openMmdb, readRecord, readValue } from '../../../../src/toolkit/dns/countries/mmdb.ts'
import { mmdbOf } from '../../../support/mmdb.ts'

const flat = { '84.160.0.0/11': { country_code: 'DE' }, '8.0.0.0/9': { country_code: 'us' }, '9.0.0.0/8': { asn: 5 } }

/** The value that a database has for an IPv4 address. */
function lookUp(bytes: Buffer, address: string): unknown {
  const mmdb = openMmdb(bytes)
  const bits = address.split('.').flatMap((byte) => [...Number(byte).toString(2).padStart(8, '0')])
  const all = mmdb.version === 6 ? [...Array(96).fill('0'), ...bits] : bits
  let node = 0
  for (const bit of all) {
    node = readRecord(mmdb, node, Number(bit) as 0 | 1)
    if (node >= mmdb.nodes) break
  }
  return node > mmdb.nodes ? JSON.parse(JSON.stringify(readValue(mmdb, node - mmdb.nodes - 16))) : undefined
}

describe('a country database', () => {
  test.each([24, 28, 32] as const)('of the flat layout gets MaxMind’s, with continents: %i bits', (recordSize) => {
    const made = countryDatabase(mmdbOf(flat, recordSize))
    expect(lookUp(made, '84.160.1.1')).toEqual({ country: { iso_code: 'DE' }, continent: { code: 'EU' } })
    expect(lookUp(made, '8.8.8.8')).toEqual({ country: { iso_code: 'US' }, continent: { code: 'NA' } })
    expect(lookUp(made, '9.1.1.1')).toBeUndefined()
    expect(lookUp(made, '1.1.1.1')).toBeUndefined()
  })

  test('of MaxMind’s layout keeps its values', () => {
    const value = { country: { iso_code: 'DE', names: { en: 'Germany' } }, registered_country: { iso_code: 'AT' } }
    expect(lookUp(countryDatabase(mmdbOf({ '84.160.0.0/11': value })), '84.160.1.1')).toEqual(value)
  })

  test('an empty one knows no address', () => {
    for (const address of ['0.0.0.0', '84.160.1.1', '255.255.255.255'])
      expect(lookUp(emptyMmdb(), address)).toBeUndefined()
  })

  test.each<[string, Buffer, string]>([
    ['no database', Buffer.from('hello'), 'no database in the MaxMind format'],
    ['empty', Buffer.alloc(0), 'no database in the MaxMind format'],
    ['without countries', mmdbOf({ '9.0.0.0/8': { asn: 5 } }), 'name no country'],
    ['cut at its beginning', mmdbOf(flat).subarray(40), 'names a value that is not in it'],
    ['cut at its end', mmdbOf(flat).subarray(0, -30), 'it is not whole'],
  ])('refused: %s', (_, bytes, message) => {
    expect(() => countryDatabase(bytes)).toThrow(message)
  })

  test('whatever byte is wrong, it is refused or read, and never read beyond its end', () => {
    const whole = mmdbOf(flat)
    for (let i = 0; i < whole.length; i++) {
      const bytes = Buffer.from(whole)
      bytes[i] = 255
      try {
        countryDatabase(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
  })
})

describe('what nodes get', () => {
  const digest = 'a'.repeat(64)
  const made: Record<string, Buffer>[] = []
  const input = (files: Record<string, Buffer>) =>
    ({
      archives: async () => files,
      archive: async (_key: string, make: () => Promise<Record<string, Buffer>>) => {
        made.push(await make())
        return digest
      },
    }) as Partial<PrepareInput> as PrepareInput

  test('the database that comes with Kitbag, and its licence', async () => {
    expect(await countriesArchive(input({}), {})).toBe(digest)
    const [files = {}] = made.splice(0)
    expect(Object.keys(files).sort()).toEqual(['NRO_LICENSE', 'countries.mmdb'])
    const bytes = files['countries.mmdb'] ?? Buffer.alloc(0)
    expect(lookUp(bytes, '84.160.0.1')).toEqual({ country: { iso_code: 'DE' }, continent: { code: 'EU' } })
    const mmdb = openMmdb(bytes)
    const values = [...leaves(mmdb)].map((place) => readValue(mmdb, place) as { country: { iso_code: string } })
    expect(values.length).toBeGreaterThan(200)
    // The Netherlands Antilles are no country any more, but in the data.
    const unknown = values.map(({ country }) => country.iso_code).filter((code) => !countries.includes(code))
    expect(unknown.filter((code) => code !== 'AN')).toEqual([])
  })

  test('an uploaded one in its place', async () => {
    const uploaded = { 'countries archive': { archive: 'b'.repeat(64) } }
    await countriesArchive(input({ 'own.mmdb': mmdbOf(flat) }), uploaded)
    const [files = {}] = made.splice(0)
    expect(lookUp(files['countries.mmdb'] ?? Buffer.alloc(0), '84.160.0.1')).toMatchObject({
      continent: { code: 'EU' },
    })
  })

  test('what cannot be used is refused with the reason', async () => {
    const refused = (files: Record<string, Buffer>) => expect(uploadedDatabase(async () => files, digest)).rejects
    await refused({ 'a.txt': Buffer.from('x') }).toThrow(
      'a.txt cannot be used as a country database: it is no database',
    )
    await refused({}).toThrow('it holds 0 files')
    await refused({ a: mmdbOf(flat), b: Buffer.alloc(0) }).toThrow('it holds 2 files')
  })
})

test('every country is on one continent', () => {
  expect(countries).toHaveLength(new Set(countries).size)
  expect(countries.length).toBe(250)
  expect(countries.map(continentOf)).not.toContain(undefined)
  expect(continentOf('XX')).toBeUndefined()
})
