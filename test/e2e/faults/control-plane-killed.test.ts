import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'

const files = (release: string) => ({
  'blueprint.yaml': `
apiVersion: kitbag/v1
name: steady
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    machine: { memory: 256MiB }
    health: { http: /, interval: 200ms }
    env: { DATABASE: "\${db.url}" }
    update: { drain: 0s }
  db:
    recipe: postgresql
    machine: { memory: 512MiB }
`,
  'app/server.js': `require('node:http').createServer((_, response) => response.end('${release}')).listen(process.env.PORT)\n`,
})

/** What the operation is at when everything is killed. */
const moments = [
  ['while machines boot', 'web-1/create'],
  ['while they are installed', 'db-1/install'],
  ['while they are configured', 'db-1/configure'],
] as const

describe.skipIf(noMachines)(
  `kill -9 of the whole control plane mid-deploy${noMachines ? ` (${noMachines})` : ''}`,
  () => {
    let box: Installation
    let folder: BlueprintFolder

    beforeAll(async () => {
      folder = blueprintFolder(files('first'))
      box = await startInstallation()
    })

    afterAll(async () => {
      folder?.remove()
      await box?.stop()
    })

    const ids = async () => (await box.machines()).map(({ id }) => id).sort()

    async function answer(name: string): Promise<string> {
      const { machines } = await box.show(name)
      const address = machines.find(({ component }) => component === 'web')?.address
      return (await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(5_000) })).text()
    }

    async function killAndStart(): Promise<void> {
      const before = await ids()
      await box.kill()
      expect(box.processes()).toEqual([])
      expect(await ids()).toEqual(before)
      await box.start()
    }

    test.each(moments)('%s: it ends well by itself, machines counted exact', async (_, unit) => {
      const name = unit.replace('/', '-')
      const operation = await box.deploy(name, folder.blueprint)
      await box.begun(operation, unit)
      await killAndStart()
      const done = await box.finished(operation)
      expect([done.status, done.error]).toEqual(['succeeded', null])
      const shown = await box.show(name)
      expect(shown.machines.map((machine) => machine.name)).toEqual(['db-1', 'web-1'])
      expect((await box.machines()).map((machine) => machine.name).sort()).toEqual(['db-1', 'web-1'])
      expect(await answer(name)).toBe('first')
      const again = await box.finished(await box.deploy(name, folder.blueprint))
      expect(again.result).toMatchObject({ units: 0 })
      expect((await box.finished(await box.submit(name, { kind: 'destroy' }))).status).toBe('succeeded')
      expect(await box.machines()).toEqual([])
    })

    test('during an update and during a destroy: machines live on, then nothing is left', async () => {
      await box.finished(await box.deploy('living', folder.blueprint))
      const machines = await ids()
      const boots = await Promise.all(['db-1', 'web-1'].map(async (name) => (await box.guest('living', name)).init()))
      folder.write(files('second'))
      const update = await box.deploy('living', folder.blueprint)
      await box.begun(update, 'web-1/install')
      await killAndStart()
      expect((await box.finished(update)).status).toBe('succeeded')
      expect(await answer('living')).toBe('second')
      expect(await ids()).toEqual(machines)
      const after = await Promise.all(['db-1', 'web-1'].map(async (name) => (await box.guest('living', name)).init()))
      expect(after).toEqual(boots)

      const destroy = await box.submit('living', { kind: 'destroy' })
      await box.begun(destroy, 'db-1/destroy')
      await box.kill()
      await box.start()
      expect((await box.finished(destroy)).status).toBe('succeeded')
      expect(await box.machines()).toEqual([])
      expect(await box.residue()).toEqual([])
    })
  },
)
