import { z } from 'zod'

/** Calls of the contract that a fault can hit. */
export const faultyCalls = [
  'createMachine',
  'getMachine',
  'listMachines',
  'destroyMachine',
  'catalog',
  'resolve',
  'secure',
  'release',
  'letGo',
  'find',
  'put',
  'assignAddress',
  'releaseAddress',
] as const

/** One way to go wrong. The first rule that hits a call decides. */
const faultSchema = z.strictObject({
  /** Default: every call. */
  calls: z.array(z.enum(faultyCalls)).optional(),
  /** Only for machines whose name (create) or id (other calls) contains this. */
  machine: z.string().optional(),
  /**
   * `timeout-after`: takes effect, then fails (retryable), as a lost answer does; `fail-before`: no effect, retryable;
   * `refuse`: no effect, permanent; `no-capacity`: no effect, `capacity-exceeded`; `hang-after`: takes effect, answers never
   * (for killing the caller between the effect and its record).
   */
  effect: z.enum(['timeout-after', 'fail-before', 'refuse', 'no-capacity', 'hang-after']),
  /** Share of the calls that it hits, 0 to 1. Default 1. */
  rate: z.number().min(0).max(1).default(1),
  /** Hits at most so often, counted over all processes. Default: no end. */
  times: z.int().min(1).optional(),
})

export const fakeSettingsSchema = z.strictObject({
  /** Milliseconds that every call takes. */
  latency: z.number().min(0).default(0),
  /** How many times a new machine is seen pending, without an address, before it runs. */
  pendingPolls: z.int().min(0).default(0),
  regions: z.array(z.string()).default(['north', 'south']),
  /** Most machines that can exist at once. */
  capacity: z.int().min(0).optional(),
  faults: z.array(faultSchema).default([]),
  /** Machines have public addresses beside their private ones, and static ones can be had. */
  publicAddresses: z.boolean().default(false),
  /** Networks that SSH may come from; absent: anywhere. */
  sshFrom: z.array(z.string()).min(1).optional(),
  /** Of a month; absent: machines have no known price. */
  prices: z
    .strictObject({
      cpu: z.number().min(0),
      disk: z.number().min(0),
      address: z.number().min(0),
      currency: z.string().default('USD'),
    })
    .optional(),
  /** Appends a line per call to `calls.jsonl`, so that a test can count effects. */
  recordCalls: z.boolean().default(false),
})

export type Fault = z.infer<typeof faultSchema>
export type FakeSettings = z.infer<typeof fakeSettingsSchema>

/** What `control.json` in the cloud's folder may say; it overrides the settings from the next call on, in every process. */
export const controlSchema = fakeSettingsSchema.partial()
export type FakeControl = z.input<typeof controlSchema>
