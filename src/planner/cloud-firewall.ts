import { digestOf } from '../lib/digest.ts'
import { type AdmissionSource, everywhere, type FirewallRule } from '../model/firewall.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'
import { admissionsOf } from './admissions.ts'
import { cloudIdOf } from './cloud-of.ts'
import { expand } from './expand.ts'
import type { PlanInput } from './plan-input.ts'

/** Cloud id -> component -> all that may come to its machines there, SSH included. */
export type CloudFirewalls = Map<string, Record<string, FirewallRule[]>>

/** Where releases put their machines, and who is there. */
export interface CloudWorld extends Pick<PlanInput, 'clouds' | 'cloudId' | 'overrides' | 'sshFrom'> {
  toolkit: ToolkitRegistry
  machines: MachineRecord[]
}

/** What several releases need together: while one takes the other's place, traffic of both goes on. Pure. */
export function cloudFirewalls(releases: ReleaseSpec[], world: CloudWorld): CloudFirewalls {
  const firewalls: CloudFirewalls = new Map()
  for (const release of releases) {
    const { components } = expand(release, world.toolkit, world.overrides)
    const cloudOf = new Map(components.map((component) => [component.name, cloudIdOf(world, component)]))
    const ownerOf = new Map(components.map(({ name, placement }) => [name, placement.with ?? name]))
    for (const component of components) {
      if (component.placement.with !== undefined) continue
      const cloud = cloudOf.get(component.name) ?? ''
      const all = firewalls.get(cloud) ?? {}
      firewalls.set(cloud, all)
      const own = [ssh(world.sshFrom?.[cloud])]
      for (const { protocol, port, sources } of admissionsOf(release, components, component)) {
        if (protocol === 'vrrp' || port === undefined) continue
        const known = sources.flatMap((source) =>
          'network' in source || cloudOf.get(source.component) === cloud
            ? [onItsMachines(source, ownerOf)]
            : addressesOf(world.machines, source.component),
        )
        if (known.length > 0) own.push({ protocol, from: port, to: port, sources: known })
      }
      all[component.name] = together([...(all[component.name] ?? []), ...own])
    }
  }
  return firewalls
}

/** A cloud knows machines by the component that they were made for. */
function onItsMachines(source: AdmissionSource, ownerOf: Map<string, string>): AdmissionSource {
  return 'network' in source ? source : { component: ownerOf.get(source.component) ?? source.component }
}

function ssh(networks: string[] | undefined): FirewallRule {
  const sources = networks?.map((network) => ({ network })) ?? everywhere
  return { protocol: 'tcp', from: 22, to: 22, sources }
}

/** A component at another cloud is not known here by its name. */
function addressesOf(machines: MachineRecord[], component: string): AdmissionSource[] {
  return machines
    .filter((machine) => machine.component === component)
    .flatMap(({ addresses }) => addresses)
    .map(({ address }) => ({ network: address.includes(':') ? `${address}/128` : `${address}/32` }))
}

/** Each port once, with everybody who may come to it. */
function together(rules: FirewallRule[]): FirewallRule[] {
  const byDoor = new Map<string, FirewallRule>()
  for (const rule of rules) {
    const key = `${rule.protocol} ${String(rule.from).padStart(5, '0')}`
    const sources = [...(byDoor.get(key)?.sources ?? []), ...rule.sources]
    const each = new Map(sources.map((source) => [digestOf(source), source]))
    byDoor.set(key, { ...rule, sources: [...each.values()] })
  }
  return [...byDoor.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule)
}
