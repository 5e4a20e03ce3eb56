import { createPipelineRequest } from '@azure/core-rest-pipeline'
import type { Azure } from './azure.ts'

/** Everything that this driver does, as Azure's actions, and why. */
const always = {
  'Microsoft.Compute/virtualMachines/read': 'find machines',
  'Microsoft.Compute/virtualMachines/write': 'create machines',
  'Microsoft.Compute/virtualMachines/delete': 'destroy machines',
  'Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action':
    'read the console of a machine that does not answer',
  'Microsoft.Compute/disks/write': 'give a machine its disk',
  'Microsoft.Compute/disks/delete': "remove a machine's disk",
  'Microsoft.Compute/skus/read': 'choose a size',
  'Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read': 'find the newest image',
  'Microsoft.Compute/locations/usages/read': 'see what is left of the quota',
  'Microsoft.Compute/locations/operations/read': 'follow an operation',
  'Microsoft.Network/networkInterfaces/read': 'find network interfaces',
  'Microsoft.Network/networkInterfaces/write': 'create network interfaces',
  'Microsoft.Network/networkInterfaces/delete': 'remove network interfaces',
  'Microsoft.Network/networkInterfaces/join/action': 'give a machine its network interface',
  'Microsoft.Network/publicIPAddresses/read': 'find public addresses',
  'Microsoft.Network/virtualNetworks/read': 'find networks',
  'Microsoft.Network/virtualNetworks/subnets/join/action': 'put machines into a subnet',
  'Microsoft.Network/networkSecurityGroups/read': 'find security groups',
  'Microsoft.Network/networkSecurityGroups/join/action': 'protect machines',
  'Microsoft.Network/applicationSecurityGroups/read': 'find application security groups',
  'Microsoft.Network/locations/operations/read': 'follow an operation',
  'Microsoft.Resources/subscriptions/resourceGroups/read': 'find resource groups',
} as const

const ownGroups = {
  'Microsoft.Resources/subscriptions/resourceGroups/write': 'create a resource group for a deployment',
  'Microsoft.Resources/subscriptions/resourceGroups/delete': "remove a deployment's resource group",
  'Microsoft.Resources/subscriptions/operationresults/read': 'follow the removal of a resource group',
}
const ownNetwork = {
  'Microsoft.Network/virtualNetworks/write': 'create a network for a deployment',
  'Microsoft.Network/virtualNetworks/delete': "remove a deployment's network",
}
const ownFirewall = {
  'Microsoft.Network/networkSecurityGroups/write': 'write the firewall of a component',
  'Microsoft.Network/networkSecurityGroups/delete': 'remove the firewall of a component',
  'Microsoft.Network/applicationSecurityGroups/write': 'name the machines of a component',
  'Microsoft.Network/applicationSecurityGroups/delete': 'remove the name again',
  'Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action': 'count a machine among its component',
  'Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action': 'let a component through',
}
const ownAddresses = {
  'Microsoft.Network/publicIPAddresses/write': 'create public addresses',
  'Microsoft.Network/publicIPAddresses/delete': 'remove public addresses',
  'Microsoft.Network/publicIPAddresses/join/action': 'give a machine its public address',
}

const managedImages = { 'Microsoft.Compute/images/read': 'make machines of an own image' }
const galleryImages = {
  'Microsoft.Compute/galleries/images/versions/read': 'make machines of an own image of a gallery',
}

/** Action -> what for, of a cloud with these settings. */
export function neededActions({ settings }: Pick<Azure, 'settings'>): Record<string, string> {
  const images = Object.values(settings.images).map(({ id }) => id)
  return {
    ...always,
    ...(images.some((id) => /\/images\/[^/]+$/i.test(id)) && managedImages),
    ...(images.some((id) => /\/versions\/[^/]+$/i.test(id)) && galleryImages),
    ...(settings.resourceGroup === undefined && ownGroups),
    ...(settings.subnet === undefined && ownNetwork),
    ...(settings.securityGroup === undefined && ownFirewall),
    ...(settings.publicAddresses && ownAddresses),
  }
}

/** Azure asks for what a network interface keeps, whenever it is written. */
const theirAddress = {
  'Microsoft.Network/publicIPAddresses/join/action': 'let an imported machine keep its public address',
}
const theirBalancers = {
  'Microsoft.Network/loadBalancers/backendAddressPools/join/action': 'let an imported machine stay behind its balancer',
  'Microsoft.Network/loadBalancers/inboundNatRules/join/action': 'let an imported machine keep its NAT rules',
  'Microsoft.Network/applicationGateways/backendAddressPools/join/action':
    'let an imported machine stay behind its application gateway',
}

/** What `kitbag cloud import` and `kitbag forget` need beside those. Empty: such a cloud imports none, or needs no more. */
export function importActions({ settings }: Pick<Azure, 'settings'>): Record<string, string> {
  // An import changes the interface only where machines join a group of Kitbag's.
  if (settings.subnet === undefined || settings.securityGroup !== undefined) return {}
  return { ...(!settings.publicAddresses && theirAddress), ...theirBalancers }
}

/** A role with what is needed and no more, as `az role definition create` takes it. */
export function roleDefinition(azure: Pick<Azure, 'settings'>): string {
  return role(azure, 'Kitbag', 'What Kitbag needs to run deployments', neededActions(azure))
}

/** A second role, for import alone. */
export function importRole(azure: Pick<Azure, 'settings'>): string {
  return role(azure, 'Kitbag import', 'What Kitbag needs beside that to take in machines', importActions(azure))
}

function role({ settings }: Pick<Azure, 'settings'>, Name: string, Description: string, actions: object): string {
  return JSON.stringify({
    Name,
    IsCustom: true,
    Description,
    Actions: Object.keys(actions).sort(),
    NotActions: [],
    AssignableScopes: [`/subscriptions/${settings.subscription}`],
  })
}

/** One grant as Azure tells it: actions may hold `*`. */
export interface Grant {
  actions?: string[]
  notActions?: string[]
}

/** What the credentials may do in the subscription, or in the given resource group. */
export async function listGrants({ resources, settings }: Azure): Promise<Grant[]> {
  const { endpoint, subscription, resourceGroup } = settings
  const scope = `/subscriptions/${subscription}${resourceGroup === undefined ? '' : `/resourceGroups/${resourceGroup}`}`
  const grants: Grant[] = []
  const path = `${scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`
  for (let url: string | undefined = new URL(path, endpoint).href; url !== undefined; ) {
    const response = await resources.sendRequest(createPipelineRequest({ url, method: 'GET' }))
    const body = JSON.parse(response.bodyAsText || '{}')
    if (response.status !== 200) {
      const { code, message = `status ${response.status}` } = body.error ?? {}
      throw Object.assign(new Error(message), { code, statusCode: response.status })
    }
    grants.push(...(body.value ?? []))
    url = body.nextLink
  }
  return grants
}

export function isGranted(action: string, grants: Grant[]): boolean {
  const covers = (patterns: string[] | undefined) => patterns?.some((pattern) => matches(pattern, action)) ?? false
  return grants.some(({ actions, notActions }) => covers(actions) && !covers(notActions))
}

function matches(pattern: string, action: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*')
  let at = action.toLowerCase()
  if (!at.startsWith(first)) return false
  at = at.slice(first.length)
  for (const [i, part] of rest.entries()) {
    if (i === rest.length - 1) return at.endsWith(part)
    const found = at.indexOf(part)
    if (found < 0) return false
    at = at.slice(found + part.length)
  }
  return at === ''
}
