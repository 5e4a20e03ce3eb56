import { newId } from '../../src/model/ids.ts'
import type { JsonObject } from '../../src/model/json.ts'
import type { Provider } from '../../src/providers/contract.ts'
import { type ProviderLoader, providers } from '../../src/providers/index.ts'
import { startAzureCloud } from '../../test/clouds/azure/azure-cloud.ts'
import { credentials, startEc2Cloud } from '../../test/clouds/ec2/ec2-cloud.ts'
import type { Bench, Family } from '../support/bench.ts'
import type { Measured, RowSpec } from '../support/row.ts'

const machines = 100
const installation = newId('ins')
const owner = { installation, deployment: newId('dep') }

/** A test cloud without machines behind, and what was asked of it. */
interface CountedCloud {
  record: { settings: object; credentials: object }
  /** Names of the calls so far, in their order; those that only look how far something is are empty. */
  calls(): string[]
  close(): Promise<void>
}

async function ec2(): Promise<CountedCloud> {
  const cloud = await startEc2Cloud()
  return {
    record: { settings: cloud.settings, credentials: { ...credentials } },
    calls: () => cloud.trace.map(({ call, parameters }) => (parameters['Filter.1.Name'] === 'instance-id' ? '' : call)),
    close: cloud.close,
  }
}

async function resourceManager(): Promise<CountedCloud> {
  const cloud = await startAzureCloud()
  const typeOf = (path: string) => /providers\/Microsoft\.\w+\/(\w+)/.exec(path)?.[1] ?? 'resourceGroups'
  return {
    record: { settings: cloud.settings, credentials: cloud.credentials },
    calls: () => cloud.requests.map(({ polling, method, path }) => (polling ? '' : `${method} ${typeOf(path)}`)),
    close: cloud.close,
  }
}

/** Makes, reads and ends machines, each as operations and healing do; counts what was asked of the cloud. */
async function count(kind: 'aws' | 'azure', start: () => Promise<CountedCloud>, bench: Bench): Promise<Measured[]> {
  const cloud = await start()
  bench.cleanup.add(`${kind} test cloud`, cloud.close)
  const driver = await (providers[kind] as ProviderLoader)()
  const provider = await driver.connect(
    {
      name: kind,
      settings: driver.settings.parse(JSON.parse(JSON.stringify(cloud.record.settings)) as JsonObject),
      credentials: driver.credentials.parse(cloud.record.credentials),
    },
    { installation, home: '/nowhere', cache: '/nowhere', log: () => {} },
  )
  const ordinals = Array.from({ length: machines }, (_, i) => i + 1)
  const during = async (work: () => Promise<unknown>) => {
    const from = cloud.calls().length
    await work()
    return cloud.calls().slice(from)
  }
  let ids: string[] = []
  const created = await during(async () => {
    ids = await Promise.all(ordinals.map((ordinal) => create(provider, ordinal)))
  })
  const isRunning = async (id: string) => (await provider.getMachine(id))?.status === 'running'
  while ((await Promise.all(ids.map(isRunning))).includes(false)) bench.signal.throwIfAborted()
  let all = false
  const read = await during(async () => {
    all = !(await Promise.all(ids.map(isRunning))).includes(false)
  })
  const destroyed = await during(async () => {
    await Promise.all(ids.map((id) => provider.destroyMachine(id)))
    await provider.release?.(owner)
  })
  const left = (await provider.residue?.(installation)) ?? []
  const isExact = new Set(ids).size === machines && left.length === 0
  return [
    { ...perMachine(created), holds: isExact },
    { ...perMachine(destroyed), holds: isExact },
    // Here a look is what counts.
    { value: read.length / machines, holds: all, detail: `${read.length} calls, looks included` },
  ]
}

async function create(provider: Provider, ordinal: number): Promise<string> {
  const spec = await provider.resolve({ cpu: 1, memory: 2 ** 29, image: 'debian-13' }, { ordinal })
  const hostKey = { privateKey: 'of the machine', publicKey: 'ssh-ed25519 AAAA' }
  const request = { name: `web-${ordinal}`, component: 'web', spec, hostKey, authorizedKeys: ['ssh-ed25519 BBBB'] }
  const token = newId('mac')
  return (await provider.createMachine(request, { token, tags: { ...owner, machine: token } })).id
}

/** `4.12 calls: 100 RunInstances, 1 DescribeImages ...` */
function perMachine(calls: string[]): Measured {
  const counted = new Map<string, number>()
  for (const call of calls) if (call !== '') counted.set(call, (counted.get(call) ?? 0) + 1)
  const parts = [...counted].sort(([, a], [, b]) => b - a).map(([call, times]) => `${times} ${call}`)
  const number = [...counted.values()].reduce((sum, times) => sum + times, 0)
  return { value: number / machines, detail: `${number}: ${parts.join(', ')}` }
}

function rowsOf(kind: 'aws' | 'azure', where: string): RowSpec[] {
  const row = (what: string, text: string, atMost: number) => ({
    name: `${kind}-calls-${what}`,
    what: `${text}, for each of ${machines}, at ${where}`,
    unit: 'calls',
    bar: { atMost },
  })
  return [
    row('create', 'calls to make a machine, without looks', 4),
    row('destroy', 'calls to end a machine, without looks', 3),
    row('idle', 'calls to read machines that are as they shall be', 0.05),
  ]
}

export const cloudCalls: Family[] = [
  {
    name: 'aws-calls',
    rows: rowsOf('aws', 'the EC2 test cloud'),
    run: (bench) => count('aws', ec2, bench),
  },
  {
    name: 'azure-calls',
    rows: rowsOf('azure', 'the Azure test cloud'),
    run: (bench) => count('azure', resourceManager, bench),
  },
]
