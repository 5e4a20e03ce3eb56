import { z } from 'zod'
import { isNetwork } from '../../lib/network.ts'

const price = z.number().min(0).default(0)

/** One's own box costs nothing, unless it is said to. */
export const settingsSchema = z.strictObject({
  hourlyPrice: z
    .strictObject({ cpu: price.describe('Of one virtual CPU'), memory: price.describe('Of 1 GiB') })
    .optional()
    .describe("What a machine counts as in an hour, in costs and in an autoscaler's `maxMonthlyCost`"),
  sshFrom: z
    .array(z.string().refine(isNetwork, 'must be a network such as 203.0.113.0/24'))
    .min(1)
    .max(100)
    .optional()
    .describe("Networks that SSH may come from, those of Kitbag's own connections among them; default: anywhere"),
})

export type Settings = z.infer<typeof settingsSchema>
