import type { ErrorCode } from './errors.ts'
import type { Finding } from './finding.ts'
import type { Address, CloudStatus, ResolvedMachineSpec } from './machine.ts'

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

/** A machine that is to be looked at, and what it is to be. */
export interface ImportAsked {
  deployment: string
  component: string
  /** The cloud's own id, or its name there. */
  id?: string | undefined
  tag?: { name: string; value: string } | undefined
  /** Login user; absent: the usual one of such machines. */
  user?: string | undefined
  port: number
  /** `SHA256:...` or a whole public key. */
  fingerprint?: string | undefined
}

/** One thing that a look at such a machine found. `code`: what its refusal is told with; default `invalid-request`. */
export interface ImportFinding extends Finding {
  fix?: string
  code?: ErrorCode
}

/** What a look at a machine found. Nothing was changed, there or anywhere. */
export interface ExaminedMachine {
  /** The name that it would get: `web-3`. */
  name: string
  /** As its cloud has it. */
  found: { id: string; name: string; status: CloudStatus; addresses: Address[] }
  user: string
  /** `source`: who says that it is the right one; `shown`: nobody yet. */
  hostKey?: { fingerprint: string; source: 'given' | 'cloud' | 'console' | 'shown' }
  findings: ImportFinding[]
  /** Present when nothing speaks against it. */
  machine?: ImportedMachine
}
