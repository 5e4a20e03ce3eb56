import type { z } from 'zod'
import type { MachineCost } from '../model/cost.ts'
import type { Finding } from '../model/finding.ts'
import type { FirewallRule } from '../model/firewall.ts'
import type { JsonObject } from '../model/json.ts'
import type { Address, CloudStatus, MachineAccess, MachineRequirements, ResolvedMachineSpec } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'

/** What a driver can do beyond the four required calls. Declared data, checked when planning. */
export interface Capabilities {
  /** Portable image words that it can resolve. */
  images: string[]
  /** The host key and login key reach the machine at its first boot. False: the machine exists and its key is given. */
  userData: boolean
  /** cpu may be a fraction. */
  fractionalCpu: boolean
  /** Regions have zones, and a machine can be asked into one. */
  zones: boolean
  /** Machines have labels of their owner's, and are chosen by them (`placement.labels`). */
  labels?: true
  /**
   * Machines can share an address that they move between them by themselves (`requirements.floatingAddress`): one for each deployment
   * and name, the same as long as one of its machines exists, and nobody else's meanwhile.
   */
  floatingAddress: boolean
  /** Machines that somebody else made can be taken in; else why not, in a sentence that names the way out. */
  imports: true | { refused: string }
  /** Machines are given back, not deleted: what is put onto them is listed there (model/manifest), so that it can be taken away. */
  givesBack?: true
}

export interface Catalog {
  regions: { id: string; zones: string[] }[]
  images: { word: string; id: string }[]
  /** Empty: any cpu and memory can be had (`local`). Memory in bytes. */
  sizes: { id: string; cpu: number; memory: number }[]
}

/** Tags that every machine carries at its cloud: by them a sweep finds what is Kitbag's, and only this installation's. */
export interface MachineTags {
  installation: string
  deployment: string
  machine: string
}

export interface CreateMachineRequest {
  /** Host name. */
  name: string
  spec: ResolvedMachineSpec
  /** Host key pair made by Kitbag for this machine, OpenSSH formats. */
  hostKey: { privateKey: string; publicKey: string }
  /** Public keys that may log in as the image's login user. */
  authorizedKeys: string[]
  /** The component that the machine is of: whose rules of `secure` protect it. */
  component: string
  /** What will be listened on there beside SSH, as far as blueprint and recipes say it. */
  ports?: { protocol: 'tcp' | 'udp'; port: number }[]
}

/**
 * Public addresses that outlive machines. Each has a name, unique in its deployment, and at most one machine. Throws `capacity-exceeded`
 * when the cloud gives no more of them.
 */
export interface StaticAddresses {
  /**
   * Gives a running machine the address of a name: made if there is none yet, taken from another machine that has it. Idempotent, also after
   * a crash at any point. Gives all addresses that the machine has from then on; a public IPv4 address of its own is gone.
   */
  assign(owner: Pick<MachineTags, 'installation' | 'deployment'>, name: string, machineId: string): Promise<Address[]>
  /** Those of an installation, with or without a machine. */
  list(installation: string): Promise<{ deployment: string; name: string; address: string }[]>
  /** Gives an address back to the cloud. One that is gone is fine. */
  release(owner: Pick<MachineTags, 'installation' | 'deployment'>, name: string): Promise<void>
}

export interface ProviderMachine {
  /** The cloud's own id. */
  id: string
  name: string
  tags: MachineTags
  status: CloudStatus
  addresses: Address[]
  /** Login user of the image (`debian`). */
  user: string
  sshPort: number
  /** It was taken in: its marks say so, so that no sweep ever destroys it. */
  imported?: true
  /** The cloud's own size id, where the cloud says it: there may have been no room for the spec's. */
  size?: string
  /** Public host key, where the machine has its own rather than that of the request (`userData: false`). */
  hostKey?: string
}

/** A machine at the cloud, whoever made it. */
export interface FoundMachine {
  /** The cloud's own id. */
  id: string
  /** What it is called there. */
  name: string
  status: CloudStatus
  addresses: Address[]
  /** Kitbag's marks, where it carries some, of whichever installation. */
  tags?: MachineTags
  /** The cloud's own ids; absent: not known there. */
  size?: string
  image?: string
  region?: string
  zone?: string
  /** Login user of such machines there. */
  user?: string
  /** Public host key, where the cloud knows it by itself. */
  hostKey?: string
}

/** A machine by the cloud's own id or name, or every machine with a tag of its owner's. */
export type MachineQuery = { id: string } | { tag: { name: string; value: string } }

/** What is to be done with machines that somebody else made, and those that Kitbag lets go. */
export interface MachineMarks {
  /** Machines that exist, running or not. Empty: there is none. */
  find(query: MachineQuery): Promise<FoundMachine[]>
  /**
   * Why a machine cannot be among those of a deployment here (another network, say), in a sentence. Changes nothing. Absent or undefined: it can.
   */
  refusal?(id: string, owner: Pick<MachineTags, 'installation' | 'deployment'>): Promise<string | undefined>
  /**
   * Puts Kitbag's marks on a machine, and lets the component's rules of `secure` hold for it too. Nothing on the machine itself is changed. The
   * same marks again change nothing. Throws `conflict` for a machine that carries others.
   */
  put(id: string, machine: { name: string; user: string; component: string; tags: MachineTags }): Promise<void>
}

/** How a machine is connected to, beyond address, user and port. */
export type MachineRoute = Pick<MachineAccess, 'privateKey' | 'jump'>

/**
 * The driver of one cloud record. Throws KitbagError: `provider-failed` (retryable or not, decided here once), `capacity-exceeded`,
 * `not-supported`. A call that timed out may have had its effect: callers repeat it with the same token.
 */
export interface Provider {
  catalog(): Promise<Catalog>
  /** Portable words to this cloud's own ids. Throws `not-supported` naming what it knows. Pure after `catalog`. */
  resolve(
    requirements: MachineRequirements,
    placement: { region?: string; zones?: string[]; labels?: Record<string, string>; ordinal: number },
  ): Promise<ResolvedMachineSpec>
  /** The same token twice = the same machine, also after a crash of the caller at any point. */
  createMachine(request: CreateMachineRequest, identity: { token: string; tags: MachineTags }): Promise<ProviderMachine>
  /**
   * Brings the cloud's own firewall of a deployment in line: component -> all that may come to its machines, SSH included. Called before
   * the first machine of a component is created, and when rules change. Absent: the cloud has none; machines protect themselves. Idempotent.
   */
  secure?(
    owner: Pick<MachineTags, 'installation' | 'deployment'>,
    firewall: Record<string, FirewallRule[]>,
  ): Promise<void>
  /** Removes what a deployment that has no machine left here made beside them: groups, networks, static addresses. Idempotent. */
  release?(owner: Pick<MachineTags, 'installation' | 'deployment'>): Promise<void>
  /** Absent: the cloud has none, or its machines have no public addresses. */
  staticAddresses?: StaticAddresses
  /** undefined: no such machine (any more). */
  getMachine(id: string): Promise<ProviderMachine | undefined>
  /** Where connecting takes more than the machine's own address: another login key, a machine in between. Absent: it does not. */
  route?(id: string): Promise<MachineRoute>
  listMachines(filter: { tags: Partial<MachineTags> & { installation: string } }): Promise<ProviderMachine[]>
  /** Destroying what is gone succeeds. Returns when the machine and all that belongs to it is gone. */
  destroyMachine(id: string): Promise<void>
  /**
   * Takes Kitbag's marks off a machine, which runs on as it is: `getMachine` and `listMachines` do not know it any more, and what it needs
   * (groups, networks, disks) outlives `release`. Whose marks are gone, or who is gone, is left alone. Idempotent.
   */
  letGo(id: string): Promise<void>
  /** Taking in machines that somebody else made; there where `capabilities.imports` is true. */
  marks?: MachineMarks
  /**
   * What a machine, whoever made it, has written to its console, as far as its cloud keeps that: why it does not answer, and the host keys
   * that it made at its first boot.
   */
  console?(id: string): Promise<string | undefined>
  /** What would keep a deployment from working, one finding per permission, tool or quota. */
  test(): Promise<Finding[]>
  /** Takes over what a former process of this installation left running (local: restarts supervisors after the box's reboot). */
  adopt?(): Promise<void>
  /**
   * What of this installation is at the cloud beyond the machines `known` (ids), what they need and static addresses: folders, bridges,
   * mounts, rules.
   * Empty after everything is destroyed.
   */
  residue?(installation: string, known?: string[]): Promise<string[]>
}

/** SSH for drivers whose machines exist already. */
export interface ProviderSsh {
  /** Kitbag's login key, as a line of authorized_keys. */
  publicKey: string
  exec: Reach['exec']
  /** The host keys that it shows now, `ssh-ed25519 AAAA...`, none of them trusted; no login is tried. Throws `machine-unreachable`. */
  hostKeys(machine: Omit<MachineAccess, 'hostKey'>): Promise<string[]>
}

export interface ProviderEnvironment {
  installation: string
  /** KITBAG_HOME: where a driver may keep state (`local`). */
  home: string
  /** Cache folder shared by installations (images). */
  cache: string
  /** Absent where nothing but a driver's own calls is to be made (`kitbag doctor`). */
  ssh?: ProviderSsh
  log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>) => void
}

/**
 * What a provider's folder exports. `settings` and `credentials` are checked when a cloud is added. Where settings have `sshFrom` (networks,
 * CIDR), machines and the cloud's own firewall let SSH in from there only; without it from anywhere.
 */
export interface ProviderDriver<Settings = unknown, Credentials = unknown> {
  kind: string
  summary: string
  capabilities: Capabilities
  settings: z.ZodType<Settings>
  credentials: z.ZodType<Credentials>
  /**
   * Makes ready, ahead of the first machine, what takes long here (host packages, an image): idempotent, cached under
   * `environment.cache`, safe when two processes do it at once. Throws `prerequisite-missing` with one sentence that says what is missing and what to do.
   */
  prepare?(
    environment: ProviderEnvironment,
    options: { images: string[]; onProgress: (step: string, detail: string) => void },
  ): Promise<void>
  /**
   * Whether settings may be changed while there are machines (ids): a sentence that says why not. Absent: none may, as long as there are.
   */
  refuseChange?(change: { before: Settings; after: Settings }, machines: string[]): string | undefined
  connect(
    cloud: { name: string; settings: Settings; credentials: Credentials },
    environment: ProviderEnvironment,
  ): Promise<Provider>
}

/**
 * What the machines of a cloud with such settings cost, from the price table in the provider's folder and the settings alone: it makes no
 * call and loads no SDK. What is not known is null, and said.
 */
export type MachineCosts = (settings: JsonObject) => (spec: ResolvedMachineSpec) => MachineCost
