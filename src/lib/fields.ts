import { z } from 'zod'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { bytesPattern, parseBytes } from './bytes.ts'
import { durationPattern, parseDuration } from './duration.ts'

/** An object that refuses unknown fields and names those it knows. */
export function strict<T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `known: ${known}` : undefined),
  })
}

/** `500ms`, `2s`: milliseconds between two bounds. */
export function durationField(least: string, most: string) {
  const [low = 0, high = 0] = [parseDuration(least), parseDuration(most)]
  return z
    .string(`must be a duration such as ${least}`)
    .regex(durationPattern, 'must be a duration such as 500ms, 2s or 1m')
    .transform((text) => parseDuration(text) ?? 0)
    .refine((ms) => ms >= low && ms <= high, `must be between ${least} and ${most}`)
}

/** `512MiB`: bytes. */
export const bytesField = z
  .string()
  .regex(bytesPattern, 'must be an amount such as 512MiB')
  .transform((text) => parseBytes(text) ?? 0)

/** Machines of a toolkit service. */
export const machineField = strict({
  cpu: z.number().positive().max(512).default(1),
  memory: bytesField.refine((value) => value >= 64 * 2 ** 20, 'at least 64MiB').prefault('512MiB'),
  disk: bytesField.optional(),
  image: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'an image word such as debian-13')
    .default('debian-13'),
  staticAddress: z.boolean().optional().describe('Its public address survives its replacement, where the cloud can'),
}).prefault({})

/** Where machines of a toolkit service go. */
export const placementField = strict({
  cloud: z.string().optional(),
  region: z.string().optional(),
  zones: z.array(z.string()).min(1).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  with: z
    .string()
    .optional()
    .describe('A component or service whose machines it shares, instead of machines of its own'),
}).optional()

interface Machines {
  machine: z.output<typeof machineField>
  placement?: z.output<typeof placementField>
}

/** What a service's section says of its machines, as a component has it: without what was not said. */
export function machinesOf({ machine, placement = {} }: Machines): Pick<ResolvedComponent, 'machine' | 'placement'> {
  const { cpu, memory, image, disk, staticAddress } = machine
  const { cloud, region, zones, labels, with: host } = placement
  return {
    machine: {
      cpu,
      memory,
      image,
      ...(disk !== undefined && { disk }),
      ...(staticAddress !== undefined && { staticAddress }),
    },
    placement: {
      ...(cloud !== undefined && { cloud }),
      ...(region !== undefined && { region }),
      ...(zones && { zones }),
      ...(labels && { labels }),
      ...(host !== undefined && { with: host }),
    },
  }
}
