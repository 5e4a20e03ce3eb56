import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname } from 'node:path'
import { KitbagError } from '../../../model/errors.ts'
import type { Archives, PrepareInput } from '../../contract.ts'
import type { Overrides } from '../record-set.ts'
import { countriesKey } from '../zones.ts'
import { countryDatabase } from './database.ts'
import { emptyMmdb } from './mmdb.ts'

/** Name of the database in the archive that nodes get. */
const fileName = 'countries.mmdb'

/** Digest of the archive with the country database for the nodes: the uploaded one's, else that of the one that comes with Kitbag. */
export function countriesArchive({ archive, archives }: PrepareInput, overrides: Overrides): Promise<string> {
  const uploaded = overrides[countriesKey]?.archive
  if (typeof uploaded === 'string')
    return archive(uploaded, async () => ({ [fileName]: await uploadedDatabase(archives, uploaded) }))
  const path = shippedFile()
  return archive(path, async () => ({ [fileName]: countryDatabase(await readFile(path)), ...(await licenceOf(path)) }))
}

/** Digest of an archive whose database knows no country, for nodes that need none: another one takes its place without a restart. */
export function noCountriesArchive({ archive }: PrepareInput): Promise<string> {
  return archive('no countries', async () => ({ [fileName]: emptyMmdb() }))
}

/** The database in an uploaded archive, as PowerDNS reads it. Throws `invalid-request` saying why it cannot be used. */
export async function uploadedDatabase(archives: Archives, digest: string): Promise<Buffer> {
  const files = Object.entries(await archives(digest))
  const [[path, bytes] = [], ...others] = files
  if (path === undefined || bytes === undefined || others.length > 0)
    throw new KitbagError(
      'invalid-request',
      `the archive has to hold the country database alone, it holds ${files.length} files`,
    )
  try {
    return countryDatabase(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new KitbagError('invalid-request', `${path} cannot be used as a country database: ${error.message}`, {
      fix: 'Give a GeoIP2 or GeoLite2 Country file, or another .mmdb file with the codes of countries.',
    })
  }
}

/** Read when a record first needs it, and never loaded otherwise. */
function shippedFile(): string {
  return createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb')
}

/** What its licence asks to go with the data. */
async function licenceOf(path: string): Promise<Record<string, Buffer>> {
  const licence = 'NRO_LICENSE'
  return { [licence]: await readFile(`${dirname(path)}/${basename(licence)}`) }
}
