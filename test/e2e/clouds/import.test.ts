import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImportPlan } from '../../../src/api/schemas/import-plan.ts'
import type { PlanBody } from '../../../src/api/schemas/plan.ts'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import type { Guest } from '../../support/guest.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { type TheirCloud, theirClouds } from './theirs.ts'

const name = 'small'
const nothing = { machines: [], addresses: [], residue: [] }

describe.skipIf(noMachines).each(['aws', 'azure'] as const)(
  `%s: a machine that somebody else made${noMachines ? ` (${noMachines})` : ''}`,
  (kind) => {
    const ends: (() => Promise<unknown>)[] = []
    let cloud: TheirCloud
    let box: Installation
    let folder: BlueprintFolder
    let id: string
    let address: string
    let guest: Guest
    let theirTags: Record<string, string>

    const asked = () => ({ cloud: 'home', component: 'web', id })
    const look = () => box.client.json<ImportPlan>('POST', `/v1/deployments/${name}/import-plan`, asked())
    const done = async (operation: Parameters<Installation['finished']>[0]) => {
      const { status, error, result } = await box.finished(operation)
      expect([status, error]).toEqual(['succeeded', null])
      return result
    }
    const submit = async (body: Record<string, unknown>) => done(await box.submit(name, body))
    /** It runs on with its owner's data and the application, and nobody of Kitbag knows it. */
    const isLetGo = async () => {
      expect(await (await fetch(`http://${address}:8080/`)).text()).toBe('imported')
      expect(await guest.run('cat /srv/theirs/data; systemctl is-active theirs')).toBe('precious\nactive')
      expect(await cloud.tags(id)).toEqual(theirTags)
      expect(await box.machines()).toEqual([])
      expect(await box.client.json('POST', '/v1/sweep', { remove: true })).toEqual(nothing)
    }

    beforeAll(async () => {
      cloud = await theirClouds[kind]((end) => ends.push(end))
      box = await startInstallation(cloud.record)
      ends.push(box.stop)
      folder = blueprintFolder(smallApplication('imported'))
      ends.push(async () => folder.remove())
      const [row] = await box.query('select ssh_public_key from installations')
      id = await cloud.make('their-own', String(row?.ssh_public_key))
      theirTags = await cloud.tags(id)
    })

    afterAll(async () => {
      const failures: unknown[] = []
      for (const end of ends.reverse()) await end().catch((error) => failures.push(error))
      expect(failures).toEqual([])
    })

    test('is looked at, and believed to be who it says by its console; nothing is changed', async () => {
      const before = cloud.changes()
      let found: ImportPlan | undefined
      // Seldom: its sshd turns away who comes too often without logging in.
      await until(async () => {
        found = await look()
        if (!found.ok) await sleep(3_000)
        return found.ok
      }, 300_000).catch(() => expect(found?.findings).toEqual('nothing that speaks against it'))
      expect(found).toMatchObject({ ok: true, name: 'web-1', machine: { name: 'their-own' } })
      expect(found?.hostKey?.source).toBe('console')
      address = found?.machine.address ?? ''
      guest = await cloud.machines.guest(address)
      const own = await guest.run('for key in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf "$key"; done')
      expect(own).toContain(found?.hostKey?.fingerprint)
      expect(cloud.changes()).toEqual(before)
    })

    test('whose console may not be read is not logged in to', async () => {
      cloud.consoles(false)
      const wary = await look()
      cloud.consoles(true)
      expect(wary).toMatchObject({ ok: false, hostKey: { source: 'shown' } })
      expect(wary.findings.find(({ ok }) => !ok)?.detail).toContain('nobody says that it is the right one')
      expect(wary.findings.map((one) => one.name)).not.toContain('login')
    })

    test('is taken in by its marks alone, and set up by the deploy in the place of a new one', async () => {
      await guest.run(`mkdir /srv/theirs && echo precious > /srv/theirs/data
printf '[Service]\\nExecStart=/bin/sleep infinity\\n' > /etc/systemd/system/theirs.service && systemctl start theirs`)
      // Who may log in already does not see the last of its first boot.
      await guest.run('cloud-init status --wait >/dev/null || true')
      const picture = () => guest.run('cat /etc/passwd; ls -R /etc /usr | sha256sum')
      const before = await picture()
      const from = cloud.changes()
      await submit({ kind: 'import', ...asked() })
      const { imported } = (await box.plan(name, folder.blueprint)) as unknown as PlanBody
      const [seen] = imported
      expect(seen?.unknown).toBeUndefined()
      const planned = seen?.changes.map(({ resource }) => resource)
      for (const what of ['package:nodejs', 'user:kitbag-web', 'firewall/service:kitbag-firewall'])
        expect(planned).toContain(what)
      expect(await picture()).toBe(before)
      const marks = { aws: /Tags|Attribute|Group/, azure: /PATCH virtualMachines|PUT (undefined|network|application)/ }
      const changed = cloud.changes().slice(from.length)
      expect(changed.filter((one) => !marks[kind].test(one))).toEqual([])
      await done(await box.deploy(name, folder.blueprint))
      const { machines } = await box.show(name)
      expect(machines).toMatchObject([{ name: 'web-1', status: 'ready', imported: true, address }])
      expect(await (await fetch(`http://${address}:8080/`)).text()).toBe('imported')
      expect(await submit({ kind: 'check' })).toMatchObject({ drift: [] })
    })

    test('is forgotten with its deployment: it serves on, and no sweep knows it', async () => {
      await submit({ kind: 'forget' })
      await isLetGo()
    })

    test('is imported once more, and let go by a destroy; only one that names it deletes it', async () => {
      await submit({ kind: 'import', ...asked() })
      const { imported } = (await box.plan(name, folder.blueprint)) as unknown as PlanBody
      expect(imported).toEqual([{ machine: 'web-1', changes: [] }])
      await done(await box.deploy(name, folder.blueprint))
      await submit({ kind: 'destroy' })
      await isLetGo()
      await submit({ kind: 'import', ...asked() })
      await submit({ kind: 'destroy', deleteImported: ['web-1'] })
      expect(await cloud.machines.residue()).toEqual([])
      expect(await box.residue()).toEqual([])
    })
  },
)
