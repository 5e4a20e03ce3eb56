import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'

const name = 'guestbook'

describe.skipIf(noMachines)(`the guestbook on the EC2 test cloud${noMachines ? ` (${noMachines})` : ''}`, () => {
  let cloud: Ec2Cloud
  let box: Installation
  let folder: string

  beforeAll(async () => {
    cloud = await startEc2Cloud({ machines: true })
    box = await startInstallation({
      provider: 'aws',
      settings: JSON.parse(JSON.stringify(cloud.settings)),
      credentials,
    })
    folder = await mkdtemp(join(tmpdir(), 'kitbag-guestbook-'))
    await cp(join(packageRoot(), 'examples/guestbook'), folder, { recursive: true })
  })

  afterAll(async () => {
    const ends = [() => box?.stop(), () => cloud?.close(), () => folder && rm(folder, { recursive: true, force: true })]
    const results = []
    for (const end of ends) results.push(...(await Promise.allSettled([end()])))
    const failed = results.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  })

  const blueprint = () => join(folder, 'blueprint.yaml')
  const done = async (operation: Parameters<Installation['finished']>[0]) => {
    const { status, error } = await box.finished(operation, 400_000)
    expect([status, error]).toEqual(['succeeded', null])
  }
  const page = async (init?: RequestInit) => {
    const { machines } = await box.show(name)
    const address = machines.find(({ component }) => component === 'loadBalancer')?.address
    return (await fetch(`http://${address}/`, init)).text()
  }

  test('is deployed, answers, and keeps what is written', async () => {
    await done(await box.deploy(name, blueprint()))
    expect(await page()).toContain('Guestbook')
    const entry = new URLSearchParams({ name: 'Ada', message: 'written on EC2' })
    await page({ method: 'POST', body: entry, redirect: 'manual' })
    expect(await page()).toContain('written on EC2')
    expect(cloud.complaints).toEqual([])
  })

  test('is updated in place', async () => {
    const before = (await box.machines()).map(({ id }) => id).sort()
    const text = await readFile(blueprint(), 'utf8')
    await writeFile(blueprint(), text.replace('default: Guestbook', 'default: Visitors'))
    await done(await box.deploy(name, blueprint()))
    expect(await page()).toContain('Visitors')
    expect(await page()).toContain('written on EC2')
    expect((await box.machines()).map(({ id }) => id).sort()).toEqual(before)
  })

  test('took few calls, none of which said a secret but to the machine itself', async () => {
    const made = cloud.trace.filter(({ call }) => call === 'RunInstances')
    expect(made).toHaveLength(4)
    const changes = cloud.trace.filter(({ call }) => !call.startsWith('Describe'))
    expect(changes.length).toBeLessThanOrEqual(4 * 4)
    for (const { parameters } of made) {
      const userData = Buffer.from(parameters.UserData ?? '', 'base64').toString('utf8')
      expect(userData.match(/PRIVATE KEY-----/g)).toHaveLength(2)
      expect(JSON.stringify({ ...parameters, UserData: '' })).not.toMatch(/PRIVATE|password/i)
      expect(parameters['MetadataOptions.HttpTokens']).toBe('required')
    }
  })

  test('goes without a trace', async () => {
    const [deployment] = await box.query(`select id from deployments where name = '${name}'`)
    await done(await box.submit(name, { kind: 'destroy', allowDataLoss: ['db'] }))
    await box.provider.release?.({ installation: box.id, deployment: String(deployment?.id) })
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
    expect(await cloud.machines?.residue()).toEqual([])
  })
})
