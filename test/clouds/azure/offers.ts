/** What the test cloud's only region offers. */
export const region = 'eastus'

export interface Size {
  id: string
  cpu: number
  memory: number
  architecture: 'x64' | 'Arm64'
  zones: string[]
  /** Zones, or `all`, in which this subscription may not have it. */
  restricted?: string[] | 'all'
}

const zones = ['1', '2', '3']

export const sizes: Size[] = [
  { id: 'Standard_B2ats_v2', cpu: 2, memory: 1, architecture: 'x64', zones, restricted: 'all' },
  { id: 'Standard_B2ts_v2', cpu: 2, memory: 1, architecture: 'x64', zones },
  { id: 'Standard_B2als_v2', cpu: 2, memory: 4, architecture: 'x64', zones, restricted: ['3'] },
  { id: 'Standard_B2pts_v2', cpu: 2, memory: 1, architecture: 'Arm64', zones: ['1', '2'] },
  { id: 'Standard_D4s_v5', cpu: 4, memory: 16, architecture: 'x64', zones },
  { id: 'Standard_M8ms', cpu: 8, memory: 218.75, architecture: 'x64', zones: [] },
]

/** As the Resource SKUs list has them, of a kind that is no machine too. */
export function skus(): unknown[] {
  const machines = sizes.map(({ id, cpu, memory, architecture, zones: all, restricted }) => ({
    resourceType: 'virtualMachines',
    name: id,
    tier: 'Standard',
    size: id.slice(9),
    locations: [region],
    locationInfo: [{ location: region, zones: all, zoneDetails: [] }],
    capabilities: [
      { name: 'vCPUs', value: String(cpu) },
      { name: 'MemoryGB', value: String(memory) },
      { name: 'HyperVGenerations', value: 'V1,V2' },
      { name: 'CpuArchitectureType', value: architecture },
    ],
    restrictions: restrictions(restricted),
  }))
  return [...machines, { resourceType: 'disks', name: 'Premium_LRS', tier: 'Premium', size: 'P4', locations: [region] }]
}

function restrictions(restricted: Size['restricted']): unknown[] {
  if (restricted === undefined) return []
  const type = restricted === 'all' ? 'Location' : 'Zone'
  const info = restricted === 'all' ? { locations: [region] } : { locations: [region], zones: restricted }
  return [{ type, values: [region], restrictionInfo: info, reasonCode: 'NotAvailableForSubscription' }]
}

/** publisher/offer/sku -> versions, oldest first. */
export const images: Record<string, string[]> = {
  'debian/debian-12/12-gen2': ['0.20240101.1614', '0.20250814.2204'],
  'debian/debian-12/12-arm64': ['0.20250814.2204'],
  'debian/debian-13/13-gen2': ['0.20250814.2204', '0.20251006.2257'],
  'debian/debian-13/13-arm64': ['0.20251006.2257'],
  'canonical/0001-com-ubuntu-server-jammy/22_04-lts-gen2': ['22.04.202509190'],
  'canonical/0001-com-ubuntu-server-jammy/22_04-lts-arm64': ['22.04.202509190'],
  'canonical/ubuntu-24_04-lts/server': ['24.04.202509110', '24.04.202510020'],
  'canonical/ubuntu-24_04-lts/server-arm64': ['24.04.202510020'],
}

/** Images of the subscription's own, by resource id; GiB of their disks. */
export const ownImages: Record<string, { disk: number }> = {
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/golden/providers/Microsoft.Compute/images/web': {
    disk: 64,
  },
}
