import type { NetworkSecurityGroup, SecurityRule } from '@azure/arm-network'
import type { FirewallRule } from '../../model/firewall.ts'
import { type Azure, lookAgain } from './azure.ts'
import { found } from './failures.ts'
import { type Owner, ownerTags, sharedName } from './names.ts'

/** Azure takes so many application security groups into one rule. */
const groupsOfRule = 10

/** Below Azure's own rules, which would let in everything from the same network. */
const lastPriority = 4_096

/** What a component's machines have in common in the cloud's firewall, as resource ids. */
export interface ComponentGroups {
  /** Names them as a source in the rules of others. */
  application: string
  /** Its rules. */
  security: string
}

/** Where nobody has said what may come: SSH alone. */
function sshOnly({ sshFrom = ['0.0.0.0/0', '::/0'] }: Azure['settings']): FirewallRule[] {
  return [{ protocol: 'tcp', from: 22, to: 22, sources: sshFrom.map((network) => ({ network })) }]
}

/** The groups of a component, made where they are not. */
export async function ensureComponent(
  azure: Azure,
  owner: Owner,
  group: string,
  component: string,
): Promise<ComponentGroups> {
  const [application, security] = await Promise.all([
    ensureApplicationGroup(azure, owner, group, component),
    found(() => azure.network.networkSecurityGroups.get(group, sharedName(owner, component))),
  ])
  const made = security ?? (await putRules(azure, owner, group, component, sshOnly(azure.settings), new Map()))
  return { application, security: made.id ?? '' }
}

/** Brings the rules of components in line; those that are so already are left alone. */
export async function applyFirewall(
  azure: Azure,
  owner: Owner,
  group: string,
  firewall: Record<string, FirewallRule[]>,
): Promise<void> {
  const named = Object.values(firewall).flatMap((rules) => rules.flatMap(({ sources }) => sources))
  const components = new Set(Object.keys(firewall))
  for (const source of named) if ('component' in source) components.add(source.component)
  const ids = await Promise.all(
    [...components].map(async (name) => [name, await ensureApplicationGroup(azure, owner, group, name)] as const),
  )
  const applications = new Map(ids)
  await Promise.all(
    Object.entries(firewall).map(async ([component, rules]) => {
      const known = await found(() => azure.network.networkSecurityGroups.get(group, sharedName(owner, component)))
      const wanted = securityRules(rules, applications)
      if (known && signature(known.securityRules ?? []) === signature(wanted)) return
      await putRules(azure, owner, group, component, rules, applications)
    }),
  )
}

/** Azure's form: a rule takes networks of one family, or groups; what nothing lets in is refused. */
export function securityRules(rules: FirewallRule[], applications: Map<string, string>): SecurityRule[] {
  const allowing = rules.flatMap(({ protocol, from, to, sources }) => {
    const networks = sources.flatMap((source) => ('network' in source ? [source.network] : []))
    const groups = sources.flatMap((source) =>
      'component' in source ? [applications.get(source.component) ?? ''] : [],
    )
    const port = from === to ? String(from) : `${from}-${to}`
    const four = networks.filter((network) => !network.includes(':')).sort()
    const six = networks.filter((network) => network.includes(':')).sort()
    const from4and6 = [four, six].filter((prefixes) => prefixes.length > 0)
    return [
      ...from4and6.map((sourceAddressPrefixes) => ({ protocol, port, sourceAddressPrefixes })),
      ...chunks(groups.sort(), groupsOfRule).map((ids) => ({
        protocol,
        port,
        sourceApplicationSecurityGroups: ids.map((id) => ({ id })),
      })),
    ]
  })
  return [
    ...allowing.map(({ protocol, port, ...source }, i) => ({
      name: `allow-${i + 1}`,
      priority: 100 + i,
      direction: 'Inbound',
      access: 'Allow',
      protocol: protocol === 'tcp' ? 'Tcp' : 'Udp',
      sourcePortRange: '*',
      destinationPortRange: port,
      destinationAddressPrefix: '*',
      ...source,
    })),
    {
      name: 'deny-others',
      priority: lastPriority,
      direction: 'Inbound',
      access: 'Deny',
      protocol: '*',
      sourcePortRange: '*',
      sourceAddressPrefix: '*',
      destinationPortRange: '*',
      destinationAddressPrefix: '*',
    },
  ]
}

async function putRules(
  { network, settings }: Azure,
  owner: Owner,
  group: string,
  component: string,
  rules: FirewallRule[],
  applications: Map<string, string>,
): Promise<NetworkSecurityGroup> {
  return network.networkSecurityGroups.beginCreateOrUpdateAndWait(
    group,
    sharedName(owner, component),
    {
      location: settings.region,
      tags: ownerTags(owner),
      securityRules: securityRules(rules, applications),
    },
    lookAgain,
  )
}

async function ensureApplicationGroup(
  { network, settings }: Azure,
  owner: Owner,
  group: string,
  component: string,
): Promise<string> {
  const name = sharedName(owner, component)
  const known = await found(() => network.applicationSecurityGroups.get(group, name))
  const made =
    known ??
    (await network.applicationSecurityGroups.beginCreateOrUpdateAndWait(
      group,
      name,
      { location: settings.region, tags: ownerTags(owner) },
      lookAgain,
    ))
  return made.id ?? ''
}

/** Of what decides; Azure adds states, ids and tags to rules. */
function signature(rules: SecurityRule[]): string {
  const lines = rules.map((rule) =>
    JSON.stringify([
      rule.priority,
      rule.access,
      rule.direction,
      rule.protocol?.toLowerCase(),
      rule.destinationPortRange,
      [...(rule.sourceAddressPrefixes ?? []), rule.sourceAddressPrefix ?? ''].filter((one) => one !== '').sort(),
      (rule.sourceApplicationSecurityGroups ?? []).map(({ id }) => id?.toLowerCase()).sort(),
    ]),
  )
  return lines.sort().join('\n')
}

function chunks<T>(all: T[], most: number): T[][] {
  return all.length === 0 ? [] : [all.slice(0, most), ...chunks(all.slice(most), most)]
}
