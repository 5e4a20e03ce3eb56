import type { Admission } from './firewall.ts'
import type { ImportedMachine } from './imported-machine.ts'
import type { ResolvedMachineSpec } from './machine.ts'

/**
 * - `create`: makes the machine and waits for SSH; gives the fact `address`
 * - `install`: the recipe's install phase; gives `installed`
 * - `migrate`: once per release, on one machine, before it takes traffic
 * - `leave`: takes a machine out of a service's traffic (drain)
 * - `configure`: the recipe's configure phase, rendered from facts just before it runs
 * - `ready`: waits for the health check; gives `ready`
 * - `join`: waits until the service sends traffic to the machine again
 * - `destroy`: removes the machine
 * - `adopt`: takes in a machine that somebody else made; nothing is changed on it
 * - `forget`: lets the machine go as it is: it runs on, and is Kitbag's no more
 * - `check`: both phases in check mode (drift)
 */
export type UnitKind =
  | 'create'
  | 'install'
  | 'migrate'
  | 'leave'
  | 'configure'
  | 'ready'
  | 'join'
  | 'destroy'
  | 'adopt'
  | 'forget'
  | 'check'

/** One unit of work. It holds references only: no address, no secret, no rendered text. */
export interface Unit {
  /** `web-1/install`; `web-1/leave/loadBalancer`. Unique in the plan and the same in every plan of the same change. */
  id: string
  kind: UnitKind
  component: string
  /** Machine name. */
  machine: string
  /** Ids of units that must be done before. */
  needs: string[]
  reason: string
  /** `create` only. */
  create?: {
    ordinal: number
    cloud: string
    spec: ResolvedMachineSpec
    stateful: boolean
    /** Name of the machine that it shares; absent: the cloud makes one. */
    on?: string
  }
  /** `adopt` only. */
  adopt?: ImportedMachine & { ordinal: number }
  /** `leave` and `join`: name of the toolkit service. */
  service?: string
  /** `configure`: of all that the machine has, its firewall alone: nothing is taken out of traffic for it. */
  only?: 'firewall'
  /** `configure`: who else may come to the machine, because this plan ends it only later. */
  also?: Admission[]
  /** `configure`: machines that the plan destroys next; its facts are rendered as if they were gone already. */
  without?: string[]
  /** `destroy`: milliseconds between what it needs and its start, in which its address may still be kept by those who asked for it. */
  wait?: number
}

/** Machines that are Kitbag's no more when their units are done: destroyed, or let go. */
export function machinesEnding(units: Pick<Unit, 'kind' | 'machine'>[]): Set<string> {
  return new Set(units.flatMap(({ kind, machine }) => (kind === 'destroy' || kind === 'forget' ? [machine] : [])))
}

/** `forget`: it goes as `remove` says, and runs on. */
export type ChangeAction = 'create' | 'keep' | 'update' | 'replace' | 'remove' | 'import' | 'forget'

/** Why something happens to a machine. `path`: the place in the blueprint; `before`, `after`: what stood and stands there. */
export interface Reason {
  message: string
  path?: string
  before?: string
  after?: string
}

/** What happens to one machine, for people. */
export interface Change {
  action: ChangeAction
  component: string
  machine: string
  /** `replace`: the name of the machine that takes its place. */
  replacement?: string
  /** Name of the machine that it shares; absent: it has one of its own. */
  on?: string
  reasons: Reason[]
  stateful: boolean
}

/** Something that the plan would do and may not, until the user says so. */
export interface Refusal {
  code: 'data-loss-refused'
  component: string
  machine: string
  message: string
  fix: string
}

export interface Plan {
  version: 1
  deployment: string
  /** Release number planned for; absent: none (destroy). A release not yet stored has the number it will get. */
  release?: number
  units: Unit[]
  changes: Change[]
  refusals: Refusal[]
  /** sha256 of the canonical JSON of all above but the refusals. */
  digest: string
}

/** What setting an imported machine up would change on it, by a look at it as it is. */
export interface ImportPreview {
  machine: string
  /** As a check tells them, in the order of the deploy. */
  changes: { resource: string; changes: string[] }[]
  /** Why there may be more than these, in a sentence; absent: these are all. */
  unknown?: string
}

/** What the workflow needs of a plan: small, no content. */
export interface UnitSkeleton {
  id: string
  kind: UnitKind
  needs: string[]
  /** Milliseconds before it starts, once it could. */
  wait?: number
}
