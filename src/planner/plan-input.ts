import type { ResolvedComponent } from '../model/blueprint.ts'
import type { ImportedMachine } from '../model/imported-machine.ts'
import type { JsonObject } from '../model/json.ts'
import type { MachineRecord, ResolvedMachineSpec } from '../model/machine.ts'
import type { OperationKind } from '../model/operation.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'

export interface NumberedRelease {
  number: number
  spec: ReleaseSpec
}

/** Everything that a plan is made from. */
export interface PlanInput {
  deployment: string
  kind: OperationKind | 'undo'
  /** What shall be; absent: nothing (destroy, or undo of a first deploy). */
  release?: NumberedRelease
  /** What is in force, for the reasons. */
  current?: NumberedRelease
  /** undo: the release that is undone, at which machines may be. */
  leaving?: NumberedRelease
  machines: MachineRecord[]
  /** scope -> key -> value; `scale` -> component -> `{ replicas }`. */
  overrides: Record<string, Record<string, JsonObject>>
  /** Reference -> its version, of what services make themselves; absent: there is none. */
  values?: Record<string, string>
  /** Machine id -> a word for the certificate that it serves with. */
  certificates?: Record<string, string>
  /** Component -> digests of migrations that ran. */
  migrated: Record<string, string[]>
  /** Cloud name -> id. */
  clouds: Record<string, string>
  /** Id of the deployment's own cloud, for components that name none. */
  cloudId: string | null
  /** Cloud id -> networks that SSH may come from; of clouds that do not say: from anywhere. */
  sshFrom?: Record<string, string[]>
  toolkit: ToolkitRegistry
  /** Components whose data may be lost. */
  allowDataLoss: string[]
  /** Names of machines that stay as they are: those that a canary leaves alone, or those that have it. */
  held?: string[]
  /** forget: names of machines; absent: all. */
  forget?: string[]
  /** destroy: names of imported machines that are not let go but destroyed. */
  deleteImported?: string[]
  /** import: the machine. */
  import?: ImportedMachine
  /** push: the toolkit service; absent: firewalls of machines that a change could not reach. */
  service?: string
  /** push: another operation is under way, which installs what is to be installed. */
  beside?: boolean
}

/** A machine that a plan would create. */
export interface WantedMachine {
  component: ResolvedComponent
  ordinal: number
  cloudId: string
  /** Name of the static address that it is to have, where its cloud has such. */
  staticAddress?: string
}

/** Portable words to the clouds' own, for machines about to be created: machine name -> spec. Throws `not-supported`. */
export type ResolveSpecs = (wanted: WantedMachine[]) => Promise<Map<string, ResolvedMachineSpec>>
