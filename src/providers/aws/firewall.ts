import { DeleteSecurityGroupCommand, type SecurityGroup } from '@aws-sdk/client-ec2'
import { inTurn } from '../../lib/in-turn.ts'
import { backoff, retry } from '../../lib/retry.ts'
import { KitbagError } from '../../model/errors.ts'
import type { FirewallRule } from '../../model/firewall.ts'
import type { AwsCloud } from './connection.ts'
import { awsCode } from './errors.ts'
import { alignRules, findGroups, makeGroup, permissions } from './groups.ts'
import { describeInstances, groupsOf } from './instances.ts'
import type { Market } from './market.ts'
import { untag } from './marks.ts'
import { ensureNetwork, leaveNetworks, removeNetworks } from './networks.ts'
import type { Place } from './subnets.ts'
import { type Owner, readTag } from './tags.ts'

/** AWS lets go of a terminated machine's network interface some time after it. */
const patience = { attempts: 12, delay: backoff(500, 10_000) }

/** A deployment's places and security groups at AWS. */
export interface Firewall {
  /** Where its machines can be put: its own network, made if need be, or that of the settings. */
  places(owner: Owner): Promise<Place[]>
  /** The security group of a component; one that lets nothing in where `secure` has not been called. */
  group(owner: Owner, component: string): Promise<string>
  secure(owner: Owner, rules: Record<string, FirewallRule[]>): Promise<void>
  release(owner: Owner): Promise<void>
}

export function firewall(cloud: AwsCloud, market: Market): Firewall {
  /** Of each deployment one thing after the other: its machines are made side by side, its network and groups once. */
  const turn = inTurn()
  const known = new Map<string, { places: Place[]; groups: Map<string, string> }>()

  const placesOf = async (owner: Owner): Promise<Place[]> => {
    const own = cloud.settings.network.own
    if (own === undefined) return market.places()
    return known.get(owner.deployment)?.places ?? ensureNetwork(cloud, owner, own, await market.zones())
  }
  /** What is known of a deployment, asked for once. */
  const stateOf = async (owner: Owner) => {
    const found = known.get(owner.deployment)
    if (found) return found
    const places = await placesOf(owner)
    const own = (await findGroups(cloud, owner)).filter(({ VpcId }) => VpcId === places[0]?.vpc)
    const groups = new Map(own.map(({ Tags, GroupId }) => [readTag(Tags, 'component'), GroupId ?? '']))
    const state = { places, groups }
    known.set(owner.deployment, state)
    return state
  }
  const ensureGroup = async (owner: Owner, component: string): Promise<string> => {
    const { places, groups } = await stateOf(owner)
    const id = groups.get(component) ?? (await makeGroup(cloud, owner, component, places[0]?.vpc ?? ''))
    groups.set(component, id)
    return id
  }

  return {
    places: (owner) => turn(owner.deployment, async () => (await stateOf(owner)).places),
    group: (owner, component) => turn(owner.deployment, () => ensureGroup(owner, component)),
    secure: (owner, rules) =>
      turn(owner.deployment, async () => {
        known.delete(owner.deployment)
        for (const component of componentsOf(rules)) await ensureGroup(owner, component)
        const { groups: ids } = await stateOf(owner)
        // A component without rules any more: nothing may come to what is left of it.
        for (const group of await findGroups(cloud, owner)) {
          const component = readTag(group.Tags, 'component')
          const used = ids.get(component) === group.GroupId
          await alignRules(cloud, group, used ? permissions(rules[component] ?? [], ids) : [])
        }
      }),
    release: (owner) =>
      turn(owner.deployment, async () => {
        known.delete(owner.deployment)
        const own = await findGroups(cloud, owner)
        const kept = await keptGroups(cloud, own)
        const groups = own.filter((group) => !kept.includes(group))
        // They refer to each other, and AWS removes no group that another one refers to.
        for (const group of groups) await alignRules(cloud, group, [])
        for (const { GroupId = '' } of groups) await letGoOf(() => removeGroup(cloud, GroupId))
        if (kept.length === 0) await letGoOf(() => removeNetworks(cloud, owner))
        else {
          const ids = kept.map(({ GroupId = '' }) => GroupId)
          await untag(cloud, ids)
          await leaveNetworks(cloud, owner)
        }
      }),
  }
}

function componentsOf(rules: Record<string, FirewallRule[]>): string[] {
  const named = Object.values(rules).flatMap((list) => list.flatMap(({ sources }) => sources))
  return [...new Set([...Object.keys(rules), ...named.flatMap((one) => ('component' in one ? one.component : []))])]
}

/** Groups of machines that were let go, and those whose members these let in: they stay as they are. */
async function keptGroups(cloud: AwsCloud, groups: SecurityGroup[]): Promise<SecurityGroup[]> {
  if (groups.length === 0) return []
  const vpcs = [...new Set(groups.flatMap(({ VpcId }) => VpcId ?? []))]
  const users = await describeInstances(cloud.ec2, [
    { Name: 'vpc-id', Values: vpcs },
    { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] },
  ])
  const free = users.filter(({ Tags }) => readTag(Tags, 'installation') !== cloud.installation)
  const kept = new Set<string | undefined>(free.flatMap(groupsOf))
  for (let before = -1; before !== kept.size; ) {
    before = kept.size
    for (const { GroupId, IpPermissions = [] } of groups) {
      if (!kept.has(GroupId)) continue
      for (const { UserIdGroupPairs = [] } of IpPermissions) for (const pair of UserIdGroupPairs) kept.add(pair.GroupId)
    }
  }
  return groups.filter(({ GroupId }) => kept.has(GroupId))
}

/** What is still in use after all that time is somebody else's, and no caller need wait for it again. */
async function letGoOf(remove: () => Promise<void>): Promise<void> {
  try {
    await retry(remove, patience)
  } catch (error) {
    if (!(error instanceof KitbagError) || awsCode(error) !== 'DependencyViolation') throw error
    const { code, message, fix, cause } = error
    throw new KitbagError(code, message, { cause, ...(fix !== undefined && { fix }) })
  }
}

async function removeGroup({ ec2 }: AwsCloud, id: string): Promise<void> {
  try {
    await ec2.change(new DeleteSecurityGroupCommand({ GroupId: id }))
  } catch (error) {
    const code = awsCode(error)
    if (code === 'InvalidGroup.NotFound') return
    if (code !== 'DependencyViolation') throw error
    throw new KitbagError('provider-failed', `aws: the security group ${id} is still used by something else`, {
      cause: error,
      retryable: true,
      fix: 'Take it away from what else uses it (a machine, an interface, another group), then destroy again.',
    })
  }
}
