/** One address of a machine. `scope` is from where it can be reached; `network` names the private network it belongs to. */
export interface Address {
  address: string
  family: 4 | 6
  scope: 'public' | 'private'
  network: string
  /** Moves between the machines that share it: whoever serves has it. Not a way to reach this one. */
  floating?: true
  /** Kitbag logs in here, though the deployment's machines talk to each other over another one. */
  login?: true
  /** Outlives the machine: the one that takes its place gets it. */
  static?: true
}

/** What a cloud says of a machine. `pending` may have no address yet; `gone`: ended at the cloud, though still listed. */
export type CloudStatus = 'pending' | 'running' | 'stopped' | 'gone'

/** What a blueprint asks of a machine, in portable words. */
export interface MachineRequirements {
  /** Virtual CPUs. May be a fraction where the provider can (`local`). */
  cpu: number
  /** Bytes. */
  memory: number
  /** Bytes of root disk; absent: the provider's or image's default. */
  disk?: number
  /** Portable image word, e.g. `debian-13`. */
  image: string
  /** Name of the service whose machines, in one deployment, share a floating address beside their own; absent: none. */
  floatingAddress?: string
  /** Its public address outlives it; absent: as is usual for what it is. */
  staticAddress?: boolean
}

/** The portable words resolved to one provider's own ids; pinned in the plan. */
export interface ResolvedMachineSpec {
  /** The cloud's own size id. */
  size: string
  /** The cloud's own image id. */
  image: string
  region?: string
  zone?: string
  /** Where else it may be made while `zone` has no room, in this order. */
  otherZones?: string[]
  /** It has these, and maybe more. */
  labels?: Record<string, string>
  /** Name of the static address that it has, or takes over from the machine that it replaces: unique in the deployment. Absent: none. */
  staticAddress?: string
  /** Bytes of root disk, where it is larger than is asked for because the image is. */
  disk?: number
  requirements: MachineRequirements
}

/** All that is needed to reach a machine, and to know that it is the right one. */
export interface MachineAccess {
  /** Kitbag's id of the machine (`mac_...`); the pool keeps one connection per id. */
  id: string
  /** Name within the deployment (`web-1`), for messages. */
  name: string
  address: string
  /** Where its neighbours find it, if not at the same address. A public one may lead out of a machine and not back into it. */
  inside?: string
  port: number
  user: string
  /** Pinned public host key, `ssh-ed25519 AAAA...`. A connection that shows another key is refused. */
  hostKey: string
  /** Login key, where it is not the installation's own; OpenSSH's format. */
  privateKey?: string
  /** The machine that the connection goes through, its own host key pinned. */
  jump?: MachineAccess
}

/**
 * `imported`: it was taken in and waits for its place; nobody is told of it yet. `lost`: it is dead or gone, and nobody is told of it any
 * more; the next change that can replaces it.
 */
export type MachineStatus =
  | 'imported'
  | 'creating'
  | 'created'
  | 'installed'
  | 'ready'
  | 'failed'
  | 'lost'
  | 'destroying'

/** A machine as Kitbag's database knows it. A destroyed machine has no row. */
export interface MachineRecord {
  id: string
  deploymentId: string
  /** Component or toolkit service that it belongs to. */
  component: string
  /** `<component>-<ordinal>`, lower case; also its host name. Unique among the deployment's machines of one time. */
  name: string
  ordinal: number
  cloudId: string
  /** Id of the machine that it is on, where it shares that of another component; absent: a machine of its own. */
  hostId?: string
  /** The cloud's own id; absent until the create call answered. */
  providerId?: string
  status: MachineStatus
  addresses: Address[]
  user: string
  sshPort: number
  hostKey: string
  spec: ResolvedMachineSpec
  /** Holds data that a rebuild would lose. */
  stateful: boolean
  /** Somebody else made it: it is let go where others are destroyed. */
  imported?: boolean
  /** Digest of the install phase's inputs as last completed; null while one is under way or when unknown. */
  installDigest: string | null
  /** Digest of the configure phase's inputs as last completed; null while one is under way or when unknown. */
  configureDigest: string | null
  /** Digest of the firewall rules as last brought into force; empty while that is under way; absent or null where there are none. */
  firewallDigest?: string | null
  /** Set by `check` when the machine was found different from what was last applied; cleared by the next converge. */
  drifted: boolean
  /** Release that it last became ready with. */
  releaseNumber: number | null
}

/** What tells one machine from another, where several components share one. */
export function machineIdOf({ id, hostId }: Pick<MachineRecord, 'id' | 'hostId'>): string {
  return hostId ?? id
}

/** The address that other machines of the deployment use, and the SSH pool where no other one is said: private before public, IPv4 before IPv6. */
export function preferredAddress(addresses: Address[]): Address | undefined {
  const rank = (a: Address) => (a.scope === 'private' ? 0 : 2) + (a.family === 4 ? 0 : 1)
  return addresses.filter(({ floating }) => !floating).sort((a, b) => rank(a) - rank(b))[0]
}

/** Where Kitbag itself reaches a machine. */
export function loginAddress(addresses: Address[]): Address | undefined {
  return addresses.find(({ login }) => login) ?? preferredAddress(addresses)
}

/** How Kitbag reaches a machine; undefined: it has no address yet. */
export function tryMachineAccess({
  id,
  name,
  addresses,
  user,
  sshPort: port,
  hostKey,
}: MachineRecord): MachineAccess | undefined {
  const address = loginAddress(addresses)?.address
  if (address === undefined) return undefined
  const inside = preferredAddress(addresses)?.address
  return { id, name, address, ...(inside !== undefined && inside !== address && { inside }), port, user, hostKey }
}

/** Where programs on a machine are spoken to, by itself and its neighbours. */
export function insideAddress({ address, inside = address }: MachineAccess): string {
  return inside
}

type Placed = Pick<MachineRecord, 'addresses' | 'cloudId' | 'spec'>

/**
 * Where the world finds machines: their public addresses, IPv4 first; where one has none, the preferred one. One that is to take a static
 * address over is found there already: `all` are the machines among which is the one that still has it. Each address once.
 */
export function outsideAddresses(machines: Placed[], all: Placed[]): string[] {
  const found = machines.flatMap((machine): Address[] => {
    const fixed = staticAddressOf(machine, all)
    const open = machine.addresses.filter(({ scope, floating }) => scope === 'public' && !floating)
    if (fixed) return [fixed, ...open.filter(({ family }) => family === 6)]
    return open.length > 0 ? open : [preferredAddress(machine.addresses) ?? []].flat()
  })
  const sorted = found.sort((a, b) => a.family - b.family)
  return [...new Set(sorted.map(({ address }) => address))]
}

function staticAddressOf({ cloudId, spec }: Placed, all: Placed[]): Address | undefined {
  if (spec.staticAddress === undefined) return undefined
  const same = all.filter((one) => one.cloudId === cloudId && one.spec.staticAddress === spec.staticAddress)
  return same.flatMap(({ addresses }) => addresses.find((address) => address.static) ?? [])[0]
}

/** The address that a machine shares with others. */
export function floatingAddress(addresses: Address[]): Address | undefined {
  return addresses.find(({ floating }) => floating)
}

/** Name of a component's machine, also its host name: `loadBalancer`, 1 -> `load-balancer-1`. */
export function machineName(component: string, ordinal: number): string {
  return `${component.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-${ordinal}`
}
