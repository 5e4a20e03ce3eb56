import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import { digestSchema } from '../../../model/ids.ts'
import { uploadedDatabase } from '../countries/archive.ts'
import type { DnsParameters } from '../prepare.ts'
import { countriesKey } from '../zones.ts'
import type { Route } from './read.ts'

const path = '/countries'

export const show: Route = {
  id: 'countries',
  method: 'get',
  path,
  summary: 'The country database that `nearest` goes by',
  response: z.object({
    archive: z.string().nullable().describe('Digest of the uploaded archive; null: the one that comes with Kitbag'),
  }),
  async read(context) {
    const { overrides } = (await context.parameters()) as unknown as DnsParameters
    return { archive: overrides[countriesKey]?.archive ?? null }
  },
}

export const set: Route = {
  id: 'countries.set',
  method: 'put',
  path,
  summary: 'Goes by a country database of your own (.mmdb), uploaded as an archive that holds nothing else',
  body: z.strictObject({ archive: digestSchema }),
  response: z.object({}),
  cli: [{ name: 'set-countries', summary: 'Go by a country database of your own (.mmdb)', archive: 'archive' }],
  async check({ archive }, archives) {
    await uploadedDatabase(archives, String(archive))
  },
  change: ({ body: { archive } }) => ({ [countriesKey]: { archive: String(archive) } }),
}

export const remove: Route = {
  id: 'countries.remove',
  method: 'delete',
  path,
  summary: 'Goes by the country database that comes with Kitbag again',
  response: z.object({}),
  cli: [{ name: 'remove-countries', summary: 'Go by the country database that comes with Kitbag again' }],
  change({ overrides }) {
    if (overrides[countriesKey]) return { [countriesKey]: null }
    throw new KitbagError('not-found', 'no country database was uploaded')
  },
}
