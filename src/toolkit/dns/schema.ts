import { isIP } from 'node:net'
import { z } from 'zod'
import { durationPattern } from '../../lib/duration.ts'
import { durationField, machineField, placementField, strict } from '../../lib/fields.ts'
import { isConcat, isReference, type Value } from '../../model/value.ts'
import { continents, countries } from './countries/continents.ts'
import { absoluteName } from './name.ts'
import { recordTypes } from './rdata.ts'

/** Contents of one set. */
const maxValues = 1000

const hostName = z.string().transform((text, context) => {
  const name = absoluteName(text)
  if (name !== undefined && !name.startsWith('*') && name !== '') return name
  context.addIssue({ code: 'custom', message: 'must be a domain name such as shop.example' })
  return z.NEVER
})

const zoneName = hostName.describe(
  'Name of the zone, such as shop.example; 2.0.192.in-addr.arpa for addresses 192.0.2.x',
)

const aboutTtl = 'How long answers may be kept, such as 60s or 1h'
const ttl = durationField('0s', '7d').describe(aboutTtl)
/** As it is written: what the API's document can describe. */
const plainTtl = z.string().regex(durationPattern, 'must be a duration such as 60s or 1h').describe(aboutTtl)

const later = z.custom<Value>((value) => isReference(value) || isConcat(value), 'must be a text')
const oneValue = z.union([z.string().max(65_535), z.number().transform(String), later])

/** One text, or several; also `${web.addresses}`, which is a list. */
const values = z.union([oneValue, z.array(oneValue).min(1).max(maxValues)])
const plainValue = z.union([z.string().max(65_535), z.number()])
const plainValues = z.union([plainValue, z.array(plainValue).min(1).max(maxValues)])

const url = z
  .string()
  .max(1000)
  .regex(
    /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._~/?&=%+:@-]*)?$/,
    'must be a URL such as http://www.shop.example/healthz',
  )

const healthField = z
  .union([
    strict({ tcp: z.int().min(1).max(65_535).describe('Port that has to accept connections') }),
    strict({
      url: url.describe('http or https; asked of each address, under the name in it'),
      expect: z
        .string()
        .min(1)
        .max(200)
        .regex(/^[\x20-\x7e]*$/, 'plain ASCII')
        .optional()
        .describe('Text that the answer has to hold'),
    }),
  ])
  .describe('Addresses that do not pass are left out of the answer, unless none does')

const countryField = z
  .string()
  .refine((code) => countries.includes(code), 'must be the code of a country, such as DE (ISO 3166-1)')
const continentField = z.enum(continents as [string, ...string[]])

const typeField = z.enum(recordTypes as [string, ...string[]]).describe('Record type')

function setFields<Values extends z.ZodType, Ttl extends z.ZodType>(value: Values, time: Ttl) {
  const answer = strict({
    value,
    weight: z.int().min(0).max(65_535).optional().describe('`weighted` only: its share'),
    countries: z.array(countryField).min(1).optional().describe('`nearest` only: clients in these countries get it'),
    continents: z
      .array(continentField)
      .min(1)
      .optional()
      .describe('`nearest` only: clients on these continents get it'),
  })
  return {
    ttl: time.optional().describe("The zone's if absent"),
    value: value.optional().describe('Content, or a list of contents: one record each'),
    routing: z
      .enum(['weighted', 'failover', 'nearest'])
      .optional()
      .describe('Of A and AAAA: which of `answers` a client gets'),
    answers: z.array(answer).min(1).max(100).optional(),
    health: healthField.optional(),
  }
}

/** What a record set is, however it came to be. */
export const recordSetField = strict(setFields(values, ttl))

/** The same as the API takes it. */
export const recordSetBody = z.strictObject(setFields(plainValues, plainTtl))

const recordField = strict({
  name: z.string().min(1).max(254).default('@').describe('`www`, `*`, `@` for the zone itself, or a whole name'),
  type: typeField,
  ...setFields(values, ttl),
})

const zoneOptions = {
  dnssec: z.boolean().default(false).describe('Signed; `kitbag dns zones` shows the DS record for the parent zone'),
  secondaries: z
    .array(z.string().refine((text) => isIP(text) !== 0, 'an IP address'))
    .max(20)
    .default([])
    .describe('Name servers of others that may transfer the zone (AXFR) and are told of changes (NOTIFY)'),
}
/** A key of zone transfers (TSIG, RFC 8945); several zones may have the same. */
const transferKeyField = strict({
  name: hostName.describe("The key's name, which the secondaries know it by"),
  secret: z
    .custom<Value>((value) => isReference(value), 'must be a secret such as ${secrets.TRANSFER_KEY}')
    .describe('Its secret in base64, by reference: ${secrets.TRANSFER_KEY}'),
})

const zoneFields = {
  ttl: ttl.prefault('60s').describe('Of records that say none'),
  records: z.array(recordField).max(100_000).default([]),
  ...zoneOptions,
  transferKey: transferKeyField.optional().describe('TSIG (hmac-sha256): transfers need it, whatever address asks'),
}

export const zoneField = strict({ zone: zoneName, ...zoneFields })

/** A zone as the API takes it. */
export const zoneBody = z.strictObject({ ttl: plainTtl.default('60s'), ...zoneOptions })

export const dnsSchema = strict({
  zone: zoneName.optional(),
  ...zoneFields,
  zones: z.array(zoneField).max(1000).default([]).describe('Further zones on the same machines'),
  nameservers: z.int().min(1).max(10).default(2).describe('Machines, each with every zone'),
  machine: machineField,
  placement: placementField,
})

export type DnsSpec = z.output<typeof dnsSchema>
export type ZoneSpec = z.output<typeof zoneField>
export type RecordSpec = z.output<typeof recordField>
export type RecordSetSpec = z.output<typeof recordSetField>
export type Health = z.output<typeof healthField>

/** Every zone of the service: the one that the section itself describes, then those of its list. */
export function zonesOf({ zone, zones, ...own }: DnsSpec): ZoneSpec[] {
  const { ttl: time, records, dnssec, secondaries, transferKey } = own
  const first = { ttl: time, records, dnssec, secondaries, ...(transferKey && { transferKey }) }
  return zone === undefined ? zones : [{ zone, ...first }, ...zones]
}
