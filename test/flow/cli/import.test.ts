import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliControlPlane, shopText, startCliControlPlane } from './control-plane.ts'

let control: CliControlPlane

beforeAll(async () => {
  control = await startCliControlPlane()
})
afterAll(() => control?.stop())

const at = async (id: string) => (await control.cloud.machines()).find((machine) => machine.id === id)
const into = ['--deployment', 'shop', '--component', 'web']

describe('cloud import, forget', () => {
  test('looks first, takes in, deploys onto it, and lets it go again', async () => {
    const id = await control.cloud.plant('their-web', { labels: { role: 'web' } })
    const looked = await control.kitbag(['cloud', 'import', 'home', ...into, '--tag', 'role=web', '--plan'])
    expect([looked.status, looked.stdout]).toEqual([0, expect.stringContaining(`${id} (their-web`)])
    expect(looked.stdout).toContain('as web-1 of shop')
    expect((await at(id))?.tags.installation).toBe('')

    const taken = await control.kitbag(['cloud', 'import', 'home', ...into, '--tag', 'role=web'])
    expect([taken.status, taken.stdout]).toEqual([0, expect.stringContaining('import of shop: done')])
    expect((await at(id))?.tags.installation).not.toBe('')
    expect((await control.kitbag(['show', 'shop'])).stdout).toMatch(/web-1 +web +imported/)

    const again = await control.kitbag(['cloud', 'import', 'home', ...into, '--id', id])
    expect([again.status, again.stderr]).toEqual([4, expect.stringContaining(`${id} is web-1 of shop already`)])

    const file = control.blueprint(shopText())
    const planned = await control.kitbag(['plan', file, '--name', 'shop'])
    expect(planned.stdout).toMatch(/~ +web-1 \(web\): update\n +it was imported, and has its place now/)
    expect(planned.stdout).toMatch(/would change on it, as it is now:\n( +\S.*\n)+ {10}package:nodejs: fake\n/)
    expect(planned.stdout).toMatch(/\n +file:\/etc\/kitbag\/web\/env: fake\n/)
    expect(planned.stdout).not.toContain('what else would change')
    expect((await control.kitbag(['deploy', file, '--name', 'shop'])).status).toBe(0)
    expect(await control.cloud.machines()).toHaveLength(4)

    const forgotten = await control.kitbag(['forget', 'shop', '--machine', 'web-1'])
    expect([forgotten.status, forgotten.stdout]).toEqual([0, expect.stringContaining('forget of shop: done')])
    expect((await at(id))?.tags.installation).toBe('')
    const destroyed = await control.kitbag(['destroy', 'shop', '--yes', '--allow-data-loss', 'db'])
    expect(destroyed.status).toBe(0)
    expect((await control.cloud.machines()).map((machine) => machine.id)).toEqual([id])
  })

  test('what is wrong is a sentence, and nothing is changed', async () => {
    const [one, two] = [
      await control.cloud.plant('twin-1', { labels: { role: 'twin' } }),
      await control.cloud.plant('twin-2', { labels: { role: 'twin' }, stopped: true }),
    ]
    const attempt = async (...args: string[]) => {
      const { status, stderr } = await control.kitbag(['cloud', 'import', 'home', ...into, ...args])
      return `${status} ${stderr.trim()}`
    }
    expect(await attempt('--id', 'nothing')).toMatch(/^1 .*cloud home has no machine nothing/)
    const twins = await attempt('--tag', 'role=twin')
    expect(twins).toMatch(/^3 .*2 machines are role=twin: /)
    expect(twins).toContain(`${one} (twin-1, running)`)
    expect(twins).toContain(`${two} (twin-2, stopped)`)
    expect(await attempt('--id', two)).toMatch(/^4 .*twin-2: is stopped.*Start it/s)
    expect(await attempt('--id', one, '--fingerprint', `SHA256:${'A'.repeat(43)}`)).toMatch(/shows another host key/)
    expect(await attempt()).toMatch(/^3 .*by its id, or by a tag/)
    expect(await attempt('--id', one, '--port', 'ssh')).toMatch(/^3 .*not a port/)
    expect((await control.kitbag(['forget', 'shop'])).stderr).toContain('needs --yes')
    expect((await control.kitbag(['list'])).stdout).toContain('no deployments yet')
    expect((await at(one))?.tags.installation).toBe('')
  })

  test('of a machine that is listed is refused by name: the deploy claims it', async () => {
    const machines = JSON.stringify([{ name: 'rack-1', address: '192.0.2.11', hostKey: `SHA256:${'A'.repeat(43)}` }])
    const added = await control.kitbag(['cloud', 'add', 'metal', '--provider', 'ssh', '--set', `machines=${machines}`])
    expect([added.status, added.stderr]).toEqual([0, ''])
    const { status, stderr } = await control.kitbag(['cloud', 'import', 'metal', ...into, '--id', 'rack-1'])
    expect(status).toBe(3)
    expect(stderr).toContain('cloud metal: machines of provider ssh are claimed by the deploy itself')
    expect(stderr).toMatch(/list it in the settings .* placement\.labels/)
  })
})
