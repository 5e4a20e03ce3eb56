import { digestOf } from '../lib/digest.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { type Admission, everywhere } from '../model/firewall.ts'
import type { MachineRecord } from '../model/machine.ts'
import { admissionsOf, comersOf, isOpen, together } from './admissions.ts'
import { isTold, recipeDigest, type World } from './digests.ts'

/** The recipe, and the name of the extra, that makes a machine let in only what it shall. */
export const firewallName = 'firewall'

/** Addresses of one family that a set of the rules holds: `from.web.4`. */
interface AddressSet {
  name: string
  type: 'ipv4_addr' | 'ipv6_addr'
  addresses: string[]
}

/** One line of the rules. Without `source` it is for anyone. */
interface Rule {
  /** `vrrp` stands for a protocol of its own. */
  protocol: 'tcp' | 'udp' | 'vrrp'
  port?: number
  family?: 'ip' | 'ip6'
  /** A network, or `@set`. */
  source?: string
}

/** What the recipe of the firewall is rendered from. */
export interface FirewallParameters {
  /** SSH is let in first of all: nothing else can shut Kitbag out. */
  ssh: Rule[]
  sets: AddressSet[]
  /** Those for UDP first: it is where a packet is a whole question, and costs most beside its answer. */
  rules: Rule[]
}

/** A machine's rules with the addresses as they are now. */
export function firewallParameters(
  { release, components, machines, present = machines, also = [], sshFrom = {} }: World,
  component: ResolvedComponent,
  machine: MachineRecord,
): FirewallParameters {
  const admissions = together([...admissionsOf(release, components, component), ...also])
  const sets = comersOf(admissions).flatMap((name) => setsOf(name, present))
  const ssh = sshFrom[machine.cloudId]?.map((network) => ({ network }))
  return {
    ssh: rulesOf({ protocol: 'tcp', port: machine.sshPort, sources: ssh ?? everywhere }),
    sets,
    rules: admissions.flatMap(rulesOf).sort((a, b) => Number(b.protocol === 'udp') - Number(a.protocol === 'udp')),
  }
}

/** All addresses of a component's machines: which one a connection comes from is the network's choice. */
function setsOf(name: string, machines: MachineRecord[]): AddressSet[] {
  const own = machines.filter((machine) => machine.component === name && isTold(machine))
  const of = (family: 4 | 6) =>
    own
      .flatMap(({ addresses }) => addresses)
      .filter((address) => address.family === family && !address.floating)
      .map(({ address }) => address)
      .sort()
  return [
    { name: `from.${name}.4`, type: 'ipv4_addr', addresses: [...new Set(of(4))] },
    { name: `from.${name}.6`, type: 'ipv6_addr', addresses: [...new Set(of(6))] },
  ]
}

function rulesOf({ protocol, port, sources }: Admission): Rule[] {
  const door = { protocol, ...(port !== undefined && { port }) }
  if (isOpen(sources)) return [door]
  return sources.flatMap((source): Rule[] => {
    if ('network' in source)
      return [{ ...door, family: source.network.includes(':') ? 'ip6' : 'ip', source: source.network }]
    return [
      { ...door, family: 'ip', source: `@from.${source.component}.4` },
      { ...door, family: 'ip6', source: `@from.${source.component}.6` },
    ]
  })
}

/** Inputs of a machine's firewall, addresses included; undefined: it has none. */
export function firewallDigest(world: World, component: ResolvedComponent, machine: MachineRecord): string | undefined {
  const extra = component.extras?.find(({ name }) => name === firewallName)
  if (!extra) return undefined
  return digestOf({
    recipe: recipeDigest(world.release, extra),
    parameters: firewallParameters(world, component, machine) as never,
  })
}
