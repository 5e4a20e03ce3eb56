import type { Address, ResolvedMachineSpec } from './machine.ts'

/** A machine that somebody else made and that runs, as it was looked at before it is taken in. */
export interface ImportedMachine {
  component: string
  /** Id of the cloud's record. */
  cloud: string
  /** The cloud's own id. */
  providerId: string
  user: string
  port: number
  /** Public host key, believed because it was given or the cloud told it. */
  hostKey: string
  addresses: Address[]
  /** What it is; `requirements` hold what the machine has. */
  spec: ResolvedMachineSpec
}
