import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPipelineRequest } from '@azure/core-rest-pipeline'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import type { FirewallRule } from '../../../src/model/firewall.ts'
import { soundAnswers } from '../../../src/providers/azure/answers.ts'
import { codeOf, toKitbagError } from '../../../src/providers/azure/failures.ts'
import { securityRules } from '../../../src/providers/azure/firewall.ts'
import { type Offer, suitable } from '../../../src/providers/azure/offers.ts'
import { isGranted, neededActions } from '../../../src/providers/azure/permissions.ts'
import table from '../../../src/providers/azure/prices.json' with { type: 'json' }
import { comparedPrice, knownSizes } from '../../../src/providers/azure/prices.ts'
import { credentialsSchema, settingsSchema } from '../../../src/providers/azure/settings.ts'
import { provisioningFailure, statusOf } from '../../../src/providers/azure/state.ts'

const subscription = '00000000-0000-0000-0000-00000000000a'
const settings = (more: Record<string, unknown> = {}) =>
  settingsSchema.parse({ subscription, region: 'eastus', ...more })

describe('azure: settings', () => {
  test.each([
    ['endpoint', 'https://169.254.169.254', 'link-local'],
    ['endpoint', 'https://[fe80::1]', 'link-local'],
    ['endpoint', 'https://[::ffff:169.254.169.254]', 'link-local'],
    ['endpoint', 'https://[fd00:ec2::254]', 'link-local'],
    ['endpoint', 'https://metadata.google.internal', 'link-local'],
    ['authority', 'https://100.100.100.200', 'link-local'],
    ['authority', 'https://168.63.129.16/', 'link-local'],
    ['authority', 'http://login.example', 'Invalid'],
    ['region', 'West Europe', 'as Azure writes it'],
    ['subnet', 'machines', 'resource id'],
    ['securityGroup', '/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/c', 'resource id'],
    ['subscription', 'mine', 'GUID'],
    ['addressSpace', '10.0.0.0', 'range'],
  ])('%s %s is refused', (field, value, message) => {
    const { error } = settingsSchema.safeParse({ subscription, region: 'eastus', [field]: value })
    expect(error?.issues).toEqual([expect.objectContaining({ path: [field] })])
    expect(error?.issues[0]?.message.toLowerCase()).toContain(message.toLowerCase())
  })

  test.each([
    [{}, 'from'],
    [{ from: 'client-secret', tenant: subscription, client: subscription }, 'secret'],
    [{ from: 'certificate', tenant: subscription, client: subscription, certificate: 'a' }, 'certificate'],
    [{ from: 'workload-identity', tenant: subscription, client: subscription, tokenFile: 'token' }, 'tokenFile'],
    [{ from: 'cli', tenant: 'mine' }, 'tenant'],
  ])('credentials %j are refused at %s', (credentials, path) => {
    expect(credentialsSchema.safeParse(credentials).error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })
})

test.each(['https://169.254.169.254/metadata/instance', 'https://[fe80::1]/subscriptions'])(
  'azure: an answer that names %s as where to go on is not followed',
  async (url) => {
    let sent = 0
    const next = async () => {
      sent++
      throw new Error('sent')
    }
    const asked = soundAnswers.sendRequest(createPipelineRequest({ url }), next)
    await expect(asked).rejects.toMatchObject({
      code: 'provider-failed',
      retryable: false,
      message: /nothing was sent/,
    })
    expect(sent).toBe(0)
  },
)

describe('azure: rules of a security group', () => {
  const ids = new Map(Array.from({ length: 12 }, (_, i) => [`c${i}`, `/g/c${i}`]))

  test('families apart, at most ten groups together, refusing the rest last', () => {
    const rules: FirewallRule[] = [
      { protocol: 'tcp', from: 443, to: 443, sources: [{ network: '10.0.0.0/8' }, { network: '::/0' }] },
      { protocol: 'udp', from: 1, to: 65535, sources: [...ids.keys()].map((component) => ({ component })) },
    ]
    const shown = securityRules(rules, ids).map((rule) => [
      ...[rule.priority, rule.access, rule.destinationPortRange],
      rule.sourceAddressPrefixes ?? rule.sourceApplicationSecurityGroups?.length ?? rule.sourceAddressPrefix,
    ])
    expect(shown).toEqual([
      [100, 'Allow', '443', ['10.0.0.0/8']],
      [101, 'Allow', '443', ['::/0']],
      [102, 'Allow', '1-65535', 10],
      [103, 'Allow', '1-65535', 2],
      [4096, 'Deny', '*', '*'],
    ])
  })

  test('nothing declared: nothing comes in', () => {
    expect(securityRules([], ids)).toEqual([expect.objectContaining({ access: 'Deny', sourceAddressPrefix: '*' })])
  })
})

describe('azure: permissions', () => {
  const action = 'Microsoft.Compute/virtualMachines/write'

  test.each([
    [{ actions: ['*'] }, true],
    [{ actions: ['microsoft.compute/*'] }, true],
    [{ actions: ['*/write'] }, true],
    [{ actions: ['Microsoft.Compute/*/write'] }, true],
    [{ actions: [action] }, true],
    [{ actions: ['*/read'] }, false],
    [{ actions: ['Microsoft.Compute/virtualMachines'] }, false],
    [{ actions: ['*'], notActions: ['Microsoft.Compute/*/write'] }, false],
    [{}, false],
  ])('%j: %s', (grant, granted) => {
    expect(isGranted(action, [grant])).toBe(granted)
  })

  test('what the settings give needs no permission to make it', () => {
    const base = `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Network`
    const given = settings({
      ...{
        resourceGroup: 'g',
        subnet: `${base}/virtualNetworks/a/subnets/b`,
        securityGroup: `${base}/networkSecurityGroups/c`,
      },
      publicAddresses: false,
    })
    const written = Object.keys(neededActions({ settings: given })).filter((one) => /\/(write|delete)$/.test(one))
    expect(written.sort()).toEqual(
      [
        ...['Microsoft.Compute/disks/delete', 'Microsoft.Compute/disks/write'],
        ...['Microsoft.Compute/virtualMachines/delete', 'Microsoft.Compute/virtualMachines/write'],
        ...['Microsoft.Network/networkInterfaces/delete', 'Microsoft.Network/networkInterfaces/write'],
      ].sort(),
    )
  })
})

describe('azure: what a machine is', () => {
  const statuses = (...codes: string[]) => ({ instanceView: { statuses: codes.map((code) => ({ code })) } })

  test.each([
    [{ provisioningState: 'Creating' }, 'pending'],
    [{ provisioningState: 'Creating', ...statuses('PowerState/starting') }, 'pending'],
    [{ provisioningState: 'Creating', ...statuses('PowerState/running') }, 'running'],
    [{ provisioningState: 'Succeeded', ...statuses('PowerState/running') }, 'running'],
    [{ provisioningState: 'Succeeded' }, 'running'],
    [{ provisioningState: 'Succeeded', ...statuses('PowerState/deallocated') }, 'stopped'],
    [{ provisioningState: 'Failed' }, 'stopped'],
    [{ provisioningState: 'Failed', ...statuses('PowerState/running') }, 'running'],
    [{ provisioningState: 'Deleting', ...statuses('PowerState/running') }, 'gone'],
  ] as const)('%j: %s', (vm, status) => {
    expect(statusOf(vm as Parameters<typeof statusOf>[0])).toBe(status)
  })

  test('why it failed stands in its status', () => {
    const code = 'ProvisioningState/failed/AllocationFailed'
    const failed = { provisioningState: 'Failed', instanceView: { statuses: [{ code, message: 'no room' }] } }
    expect(provisioningFailure(failed as Parameters<typeof provisioningFailure>[0])).toMatchObject({
      code: 'AllocationFailed',
      message: 'no room',
    })
  })
})

describe('azure: errors', () => {
  test('the code of a failed operation is read from its message', () => {
    expect(codeOf({ message: 'The long-running operation has failed. AllocationFailed. No room.' })).toBe(
      'AllocationFailed',
    )
  })

  test.each([
    [{ statusCode: 429, code: 'TooManyRequests' }, 'provider-failed', true],
    [{ statusCode: 409, code: 'AnotherOperationInProgress' }, 'provider-failed', true],
    [{ statusCode: 400, code: 'NicReservedForAnotherVm' }, 'provider-failed', true],
    [{ code: 'ENOTFOUND', message: 'getaddrinfo' }, 'provider-failed', true],
    [
      { statusCode: 409, code: 'OperationNotAllowed', message: 'exceeding approved Cores quota' },
      'capacity-exceeded',
      false,
    ],
    [{ statusCode: 409, code: 'SkuNotAvailable' }, 'capacity-exceeded', false],
    [{ statusCode: 409, code: 'ScopeLocked' }, 'provider-failed', false],
    [{ name: 'CredentialUnavailableError', message: 'please run az login' }, 'provider-failed', false],
  ])('%j: %s, again: %s', (error, code, retryable) => {
    expect(toKitbagError(error, 'create web-1')).toMatchObject({ code, retryable })
  })
})

describe('azure: sizes and prices', () => {
  const offer = (id: string, cpu: number, memory: number, architecture: Offer['architecture'] = 'amd64'): Offer => ({
    ...{ id, cpu, memory: memory * 2 ** 30, architecture, zones: [] },
  })
  const offers = [offer('tiny', 2, 1), offer('arm', 2, 4, 'arm64'), offer('medium', 2, 4), offer('large', 4, 16)]
  const asked = { cpu: 2, memory: 2 * 2 ** 30, image: 'debian-13' }
  const ids = (more: Record<string, unknown>) =>
    suitable(offers, { settings: settings(more) }, asked).map(({ id }) => id)

  test('the cheapest that gives what is asked for, in its architecture, or the named one', () => {
    expect(ids({})).toEqual(['medium', 'large'])
    expect(ids({ architecture: 'arm64' })).toEqual(['arm'])
    const named = [{ ...offers[3], id: 'Large' } as Offer, ...offers.slice(0, 3)]
    expect(suitable(named, { settings: settings({ size: 'Large' }) }, asked)[0]?.id).toBe('Large')
  })

  test('a size that is too small or unknown is refused by name', () => {
    expect(() => suitable(offers, { settings: settings({ size: 'Tiny' }) }, asked)).toThrow(
      /Tiny of the settings cannot be had in eastus/,
    )
    const much = { ...asked, cpu: 64 }
    expect(() => suitable(offers, { settings: settings() }, much)).toThrow(
      /eastus offers no amd64 size with 64 cpu and 2048 MiB/,
    )
  })

  test('the table is sorted, and every size is there once', () => {
    const prices = knownSizes.map(({ id }) => comparedPrice(id, 'eastus'))
    expect(prices).toEqual([...prices].sort((a = 0, b = 0) => a - b))
    expect(new Set(knownSizes.map(({ id }) => id)).size).toBe(knownSizes.length)
    expect(comparedPrice('Standard_D2s_v5', 'westeurope')).toBe(comparedPrice('Standard_D2s_v5', 'eastus'))
  })

  test('the script takes prices from the list, page by page, for another region', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kitbag-prices-'))
    const file = join(folder, 'prices.json')
    await copyFile(join(packageRoot(), 'src/providers/azure/prices.json'), file)
    const item = {
      type: 'Consumption',
      productName: 'Virtual Machines Dsv5 Series',
      skuName: 'D2s v5',
      meterName: 'D2s v5',
    }
    const month = { type: 'Consumption', unitOfMeasure: '1/Month' }
    const disk = (productName: string, meterName: string, retailPrice: number) => ({
      ...month,
      productName,
      meterName,
      retailPrice,
    })
    const address = { type: 'Consumption', unitOfMeasure: '1 Hour', meterName: 'Standard IPv4 Static Public IP' }
    const answers: [string, object[]][] = [
      [
        'Virtual Machines',
        [
          { ...item, armSkuName: 'Standard_D2s_v5', retailPrice: 0.115 },
          { ...item, armSkuName: 'Standard_D2s_v5', retailPrice: 0.01, skuName: 'D2s v5 Spot' },
          {
            ...item,
            armSkuName: 'Standard_D2s_v5',
            retailPrice: 0.2,
            productName: 'Virtual Machines Dsv5 Series Windows',
          },
        ],
      ],
      [
        'Storage',
        [
          disk('Standard SSD Managed Disks', 'E10 LRS Disk Mount', 1.82),
          disk('Standard SSD Managed Disks', 'E10 LRS Disk', 10.5),
          disk('Standard SSD Managed Disks', 'E4 LRS Disk', 2.6),
          disk('Standard SSD Managed Disks', 'E4 ZRS Disk', 3.9),
          disk('Standard HDD Managed Disks', 'S4 LRS Disk', 1.6),
          disk('Premium SSD Managed Disks', 'P4 LRS Disk', 6.1),
        ],
      ],
      ['Virtual Network', [{ ...address, armRegionName: 'Global', retailPrice: 0.006 }]],
    ]
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', base)
      const second = url.searchParams.has('page')
      const filter = url.searchParams.get('$filter') ?? ''
      const [service, first = []] = answers.find(([name]) => filter.includes(`serviceName eq '${name}'`)) ?? []
      const Items = second ? [{ ...item, armSkuName: 'Standard_D4s_v5', retailPrice: 0.23 }] : first
      const more = service === 'Virtual Machines' && !second
      response.end(JSON.stringify({ Items, NextPageLink: more ? `${base}/?page=2` : null }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const env = { ...process.env, AZURE_PRICES_URL: base, AZURE_PRICES_FILE: file }
      await promisify(execFile)(process.execPath, ['scripts/azure-prices.mjs', 'westeurope'], {
        cwd: packageRoot(),
        env,
      })
      const { regions, sizes } = JSON.parse(await readFile(file, 'utf8')) as typeof table
      const [east, west] = regions
      expect(east).toEqual(table.regions[0])
      expect(west).toMatchObject({
        region: 'westeurope',
        date: new Date().toISOString().slice(0, 10),
        publicAddressHourly: 0.006,
        disksMonthly: {
          Standard_LRS: [[32, 1.6]],
          StandardSSD_LRS: [
            [32, 2.6],
            [128, 10.5],
          ],
          Premium_LRS: [[32, 6.1]],
        },
      })
      const found = (id: string) => sizes.find((size) => size.id === id)?.hourly
      expect(['Standard_D2s_v5', 'Standard_D4s_v5', 'Standard_B2s_v2'].map(found)).toEqual([
        [0.096, 0.115],
        [0.192, 0.23],
        [0.0832, null],
      ])
      expect(sizes).toHaveLength(table.sizes.length)
    } finally {
      server.close()
      await rm(folder, { recursive: true })
    }
  })
})
