import { isIP } from 'node:net'
import { z } from 'zod'
import { bytesField, durationField, machineField, placementField, strict } from '../../lib/fields.ts'
import { componentNameSchema } from '../../model/ids.ts'
import { receiverField, receiverName } from './receiver-schema.ts'

const receivers = z.union([receiverName, z.array(receiverName).min(1).max(20)])

export const severities = ['critical', 'warning', 'info'] as const

export const alertField = strict({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, beginning with a letter')
    .describe('Its name; that of a ready-made alert changes that one'),
  expr: z.string().min(1).max(4096).optional().describe('PromQL: fires while it has values. Not of ready-made alerts'),
  above: z.number().optional().describe('Of ready-made alerts that compare with a number: that number'),
  for: durationField('0s', '1d').optional().describe('How long it has to be so before it fires; default 1m'),
  severity: z.enum(severities).optional().describe('Default warning'),
  summary: z.string().min(1).max(500).optional().describe('One sentence for those who are told'),
  enabled: z.boolean().default(true).describe('false switches a ready-made alert off'),
  notify: receivers.optional().describe('Receivers of this alert; default: all'),
})

export const targetField = strict({
  name: componentNameSchema.describe('What its series have as `component`'),
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, 'an IPv4 or IPv6 address'))
    .min(1)
    .max(1000)
    .describe('Of machines that Kitbag did not deploy'),
  port: z.int().min(1).max(65_535).default(9100).describe("Port of an exporter; default: node_exporter's"),
  path: z
    .string()
    .max(1000)
    .regex(/^\/[^\s]*$/, 'must be a path that begins with /')
    .default('/metrics'),
})

export const monitoringSchema = strict({
  interval: durationField('5s', '30s').prefault('15s').describe('Time between two looks at a target'),
  retention: strict({
    time: durationField('1h', '1000d').prefault('15d').describe('How long figures are kept'),
    size: bytesField
      .refine((value) => value >= 64 * 2 ** 20, 'at least 64MiB')
      .prefault('2GiB')
      .describe('How much of the disk they may take, the last two hours beside'),
  }).prefault({}),
  logs: strict({
    time: durationField('1h', '1000d').prefault('14d').describe('How long every machine keeps its log'),
    size: bytesField
      .refine((value) => value >= 16 * 2 ** 20, 'at least 16MiB')
      .prefault('512MiB')
      .describe('How much of its disk the log may take'),
  }).prefault({}),
  targets: z.array(targetField).max(200).default([]).describe('More to look at, by address'),
  alerts: z.array(alertField).max(200).default([]).describe('Own alerts, and changes of ready-made ones'),
  notify: z.record(receiverName, receiverField).default({}).describe('Who is told of alerts, by name'),
  repeat: durationField('1m', '7d').prefault('4h').describe('Time until what still fires is told again'),
  machine: machineField,
  replicas: z.int().min(1).max(2).default(1).describe('Machines, each with figures of its own'),
  placement: placementField,
})

export type MonitoringSpec = z.output<typeof monitoringSchema>
export type AlertSpec = z.output<typeof alertField>
