import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { type MachinesBehind, machinesBehind } from '../../clouds/support/machines-behind.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'

const name = 'guestbook'

describe.skipIf(noMachines)(`the guestbook on the Azure test cloud${noMachines ? ` (${noMachines})` : ''}`, () => {
  let machines: MachinesBehind
  let cloud: AzureCloud
  let box: Installation
  let folder: string

  beforeAll(async () => {
    machines = await machinesBehind('azure')
    cloud = await startAzureCloud({ behind: machines })
    const settings = { ...cloud.settings, addressSpace: machines.subnet, reach: 'private' }
    box = await startInstallation({ provider: 'azure', settings, credentials: { ...cloud.credentials } })
    folder = await mkdtemp(join(tmpdir(), 'kitbag-guestbook-'))
    await cp(join(packageRoot(), 'examples/guestbook'), folder, { recursive: true })
  })

  afterAll(async () => {
    try {
      await box?.stop()
    } finally {
      await cloud?.close()
      await machines?.close()
      if (folder) await rm(folder, { recursive: true, force: true })
    }
  })

  const blueprint = () => join(folder, 'blueprint.yaml')
  const done = async (operation: Parameters<Installation['finished']>[0]) => {
    const { status, error } = await box.finished(operation, 400_000)
    expect([status, error]).toEqual(['succeeded', null])
  }
  const page = async (init?: RequestInit) => {
    const { machines: shown } = await box.show(name)
    const address = shown.find(({ component }) => component === 'loadBalancer')?.address
    return (await fetch(`http://${address}/`, init)).text()
  }

  test('is deployed, answers, and keeps what is written', async () => {
    await done(await box.deploy(name, blueprint()))
    expect(await page()).toContain('Guestbook')
    const entry = new URLSearchParams({ name: 'Ada', message: 'written on Azure' })
    await page({ method: 'POST', body: entry, redirect: 'manual' })
    expect(await page()).toContain('written on Azure')
  })

  test('is updated in place', async () => {
    const before = (await box.machines()).map(({ id }) => id).sort()
    const text = await readFile(blueprint(), 'utf8')
    await writeFile(blueprint(), text.replace('default: Guestbook', 'default: Visitors'))
    await done(await box.deploy(name, blueprint()))
    expect(await page()).toContain('Visitors')
    expect(await page()).toContain('written on Azure')
    expect((await box.machines()).map(({ id }) => id).sort()).toEqual(before)
  })

  test('goes without a trace', async () => {
    const [deployment] = await box.query(`select id from deployments where name = '${name}'`)
    await done(await box.submit(name, { kind: 'destroy', allowDataLoss: ['db'] }))
    await box.provider.release?.({ installation: box.id, deployment: String(deployment?.id) })
    expect(await box.machines()).toEqual([])
    expect(await box.residue()).toEqual([])
    expect([...cloud.world.resources.keys(), ...cloud.world.groups.keys()]).toEqual([])
    expect(await machines.residue()).toEqual([])
  })
})
