import { setTimeout as sleep } from 'node:timers/promises'
import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImportPlan } from '../../../src/api/schemas/import-plan.ts'
import { cloudConfig } from '../../../src/lib/cloud-init.ts'
import { fingerprint, parsePublicKey } from '../../../src/lib/host-key.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'

const name = 'small'

describe.skipIf(noMachines)(`a machine that somebody else made${noMachines ? ` (${noMachines})` : ''}`, () => {
  let cloud: Ec2Cloud
  let box: Installation
  let folder: BlueprintFolder
  let id: string
  let print: string

  const asked = () => ({ cloud: 'home', component: 'web', id, fingerprint: print })
  const look = (body: object) => box.client.json<ImportPlan>('POST', `/v1/deployments/${name}/import-plan`, body)
  const changes = (from: number) =>
    cloud.trace.slice(from).flatMap(({ call }) => (/^(Describe|Get)/.test(call) ? [] : [call]))
  const done = async (operation: Parameters<Installation['finished']>[0]) => {
    const { status, error } = await box.finished(operation)
    expect([status, error]).toEqual(['succeeded', null])
  }
  const answer = async (address: string) => (await fetch(`http://${address}:8080/`)).text()

  beforeAll(async () => {
    cloud = await startEc2Cloud({ machines: true })
    box = await startInstallation({
      provider: 'aws',
      settings: JSON.parse(JSON.stringify(cloud.settings)),
      credentials,
    })
    folder = blueprintFolder(smallApplication('imported'))
    const [row] = await box.query('select ssh_public_key from installations')
    const hostKey = generateKeyPair('their-own')
    print = fingerprint(parsePublicKey(hostKey.publicKey).blob)
    const userData = cloudConfig({ name: 'their-own', hostKey, authorizedKeys: [String(row?.ssh_public_key)] })
    const owner = new EC2Client({ region: cloud.settings.region, endpoint: cloud.endpoint, credentials })
    const { Instances: [instance] = [] } = await owner.send(
      new RunInstancesCommand({
        ImageId: 'ami-0d13000000000001',
        InstanceType: 't3.small',
        MinCount: 1,
        MaxCount: 1,
        NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: cloud.settings.network?.subnets?.[0] ?? '' }],
        UserData: Buffer.from(userData).toString('base64'),
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'their-own' }] }],
      }),
    )
    owner.destroy()
    id = instance?.InstanceId ?? ''
  })

  afterAll(async () => {
    if (id) await cloud?.vanish(id)
    const ends = [() => box?.stop(), () => cloud?.close(), async () => folder?.remove()]
    const results = []
    for (const end of ends) results.push(...(await Promise.allSettled([end()])))
    const failed = results.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  })

  test('is looked at: whose host key nobody vouches for is not logged in to; nothing is changed', async () => {
    let found: ImportPlan | undefined
    // Seldom: its sshd turns away who comes too often without logging in.
    await until(async () => {
      found = await look(asked())
      if (!found.ok) await sleep(3_000)
      return found.ok
    }, 300_000).catch(() => expect(found?.findings).toEqual('nothing that speaks against it'))
    expect(found).toMatchObject({ ok: true, name: 'web-1', machine: { id, name: 'their-own', user: 'admin' } })
    expect(found?.hostKey).toEqual({ fingerprint: print, source: 'given' })
    const { fingerprint: _, ...unknown } = asked()
    const wary = await look(unknown)
    expect(wary).toMatchObject({ ok: false, hostKey: { fingerprint: print, source: 'shown' } })
    expect(wary.findings.find(({ ok }) => !ok)?.detail).toContain('nobody says that it is the right one')
    expect(wary.findings.map((one) => one.name)).not.toContain('login')
    expect(changes(0)).toEqual(['RunInstances'])
  })

  test('is taken in by its tags alone, and set up by the deploy in the place of a new one', async () => {
    const from = cloud.trace.length
    await done(await box.submit(name, { kind: 'import', ...asked() }, 'import-1'))
    const again = await box.submit(name, { kind: 'import', ...asked() }, 'import-1')
    expect(again.status).toBe('succeeded')
    expect(changes(from).sort()).toEqual(['CreateSecurityGroup', 'CreateTags', 'ModifyInstanceAttribute'])
    await done(await box.deploy(name, folder.blueprint))
    const { machines } = await box.show(name)
    expect(machines).toMatchObject([{ name: 'web-1', status: 'ready', imported: true }])
    expect(await answer(machines[0]?.address ?? '')).toBe('imported')
    expect(cloud.trace.filter(({ call }) => call === 'RunInstances')).toHaveLength(1)
  })

  test('is forgotten with its deployment, serves on, and no sweep knows it', async () => {
    const address = (await box.show(name)).machines[0]?.address ?? ''
    await done(await box.submit(name, { kind: 'forget' }))
    expect(await answer(address)).toBe('imported')
    expect(await box.machines()).toEqual([])
    expect(await box.client.json('POST', '/v1/sweep', { remove: true })).toEqual({
      machines: [],
      addresses: [],
      residue: [],
    })
    expect(await answer(address)).toBe('imported')
    expect(cloud.trace.map(({ call }) => call)).not.toContain('TerminateInstances')
  })

  test('is imported once more, and deleted by a destroy that names it', async () => {
    await done(await box.submit(name, { kind: 'import', ...asked() }))
    await done(await box.deploy(name, folder.blueprint))
    await done(await box.submit(name, { kind: 'destroy', deleteImported: ['web-1'] }))
    expect(await cloud.machines?.residue()).toEqual([])
    expect(await box.residue()).toEqual([])
  })
})
