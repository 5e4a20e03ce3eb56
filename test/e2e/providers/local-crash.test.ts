import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/model/ids.ts'
import { detectConfinement, groupsOf } from '../../../src/providers/local/confinement.ts'
import { type LocalBox, localBox, noMachines } from './local-box.ts'
import { newKeyPair, runOnceUp } from './ssh-login.ts'

describe.skipIf(noMachines)(`local: what outlives a crash${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: LocalBox
  const login = newKeyPair()
  const hostKey = newKeyPair()

  beforeEach(async () => {
    box = await localBox()
  })

  afterEach(async () => {
    const tags = { installation: box.installation }
    for (const { id } of await box.provider.listMachines({ tags })) await box.provider.destroyMachine(id)
    expect(await box.provider.residue?.(box.installation)).toEqual([])
    await box.close()
  })

  async function order() {
    const spec = await box.provider.resolve({ cpu: 1, memory: 2 ** 28, image: 'debian-13' }, { ordinal: 1 })
    const token = newId('mac')
    const request = { name: 'web-1', spec, hostKey, authorizedKeys: [login.publicKey], component: 'web' }
    return { request, identity: { token, tags: { installation: box.installation, deployment: 'd', machine: token } } }
  }

  async function creatingProcess(): Promise<(what: Awaited<ReturnType<typeof order>>) => Promise<ChildProcess>> {
    const program = join(box.environment.home, 'creating.mjs')
    const entry = join(import.meta.dirname, 'creating-process.ts')
    await build({
      entryPoints: [entry],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
    return async (what) => {
      const file = join(box.environment.home, 'order.json')
      await writeFile(file, JSON.stringify({ environment: box.environment, ...what }))
      const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      return child
    }
  }

  test('the process that creates a machine is killed at any moment: the next call finishes the one machine', async () => {
    const start = await creatingProcess()
    const reached = new Set<string>()
    // A busy box takes longer to come so far.
    for (let delay = 0; delay <= 400 || (!reached.has('running') && delay <= 3000); delay += 25) {
      const what = await order()
      const child = await start(what)
      const closed = once(child, 'close')
      await sleep(delay)
      child.kill('SIGKILL')
      await closed
      const tags = what.identity.tags
      const [left] = await box.provider.listMachines({ tags })
      reached.add(left?.status ?? 'nothing')
      const machine = await box.provider.createMachine(what.request, what.identity)
      expect(machine.status).toBe('running')
      expect(await box.provider.listMachines({ tags })).toHaveLength(1)
      const address = machine.addresses[0]?.address ?? ''
      const access = { address, privateKey: login.privateKey, hostKey: hostKey.publicKey }
      expect(await runOnceUp(access, 'hostname')).toBe('web-1')
      await box.provider.destroyMachine(machine.id)
      expect(await box.provider.residue?.(box.installation)).toEqual([])
    }
    expect(reached).toContain('running')
    expect(reached.size).toBeGreaterThan(1)
  })

  test('a machine runs on when the process that made it is gone', async () => {
    const start = await creatingProcess()
    const what = await order()
    const child = await start(what)
    if (child.exitCode === null) await once(child, 'close')
    const [machine] = await box.provider.listMachines({ tags: what.identity.tags })
    expect(machine?.status).toBe('running')
  })

  test('machines whose supervisors are gone, as after a reboot of the box, are taken over and booted', async () => {
    const what = await order()
    const { id, addresses } = await box.provider.createMachine(what.request, what.identity)
    const access = {
      address: addresses[0]?.address ?? '',
      privateKey: login.privateKey,
      hostKey: hostKey.publicKey,
    }
    await runOnceUp(access, 'echo kept > note; sync')
    const folder = join(box.environment.home, 'local/machines', id)
    for (const name of ['supervisor.pid', 'guest.pid']) {
      process.kill(Number((await readFile(join(folder, name), 'utf8')).split(' ')[0]), 'SIGKILL')
    }
    await expect.poll(async () => (await box.provider.getMachine(id))?.status).toBe('stopped')
    await Promise.all([box.provider.adopt?.(), box.provider.adopt?.()])
    expect((await box.provider.getMachine(id))?.status).toBe('running')
    expect(await runOnceUp(access, 'cat note')).toBe('kept')
  })

  test('a process of it that nobody sees is waited for: it leaves nothing after the removal', async (context) => {
    const confinement = await detectConfinement()
    if (confinement.kind === 'scope') context.skip('systemd keeps the groups of this box')
    const what = await order()
    const { id } = await box.provider.createMachine(what.request, what.identity)
    // As one of the supervisor's own that is just becoming another program: without an environment, with its lock.
    const script = 'exec 9>>supervisor.lock; echo waits; flock 9; sleep 1; mkdir -p "$@"'
    const unseen = spawn('sh', ['-c', script, 'sh', ...groupsOf(confinement, id)], {
      cwd: join(box.environment.home, 'local/machines', id),
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(unseen, 'close')
    await once(unseen.stdout, 'data')
    await box.provider.destroyMachine(id)
    await ended
    expect(await box.provider.residue?.(box.installation)).toEqual([])
  })

  test('a removal that was cut off is seen, and finished by the next start', async () => {
    const what = await order()
    const { id } = await box.provider.createMachine(what.request, what.identity)
    const record = join(box.environment.home, 'local/machines', id, 'machine.json')
    await writeFile(record, (await readFile(record, 'utf8')).replace('"made"', '"removing"'))
    expect(await box.provider.listMachines({ tags: what.identity.tags })).toHaveLength(1)
    await box.provider.adopt?.()
    expect(await box.provider.listMachines({ tags: what.identity.tags })).toEqual([])
    expect(await box.provider.residue?.(box.installation)).toEqual([])
  })
})
