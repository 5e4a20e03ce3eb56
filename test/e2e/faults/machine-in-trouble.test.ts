import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import type { Operation } from '../../../src/api/schemas/operation.ts'
import type { Guest } from '../../support/guest.ts'
import { type Installation, type OperationWithUnits, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'
import { after, atGate, complete, gatedBlueprint, openGate } from './gate.ts'

describe.skipIf(noMachines)(`a machine in trouble while it is set up${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
  })

  afterAll(() => box?.stop())

  /** Deploys one machine that stands at the gate, in the middle of its program. */
  async function halfWay(
    { onTestFinished }: TestContext,
    name: string,
    resources = after,
  ): Promise<{ operation: Operation; guest: Guest }> {
    const folder = gatedBlueprint(resources)
    onTestFinished(folder.remove)
    const operation = await box.deploy(name, folder.blueprint)
    await box.begun(operation, 'box-1/install')
    const guest = await box.guest(name, 'box-1')
    await atGate(guest)
    return { operation, guest }
  }

  async function expectDone(operation: Operation, guest: Guest): Promise<void> {
    const done = await box.finished(operation)
    expect([done.status, done.error]).toEqual(['succeeded', null])
    expect(await guest.run(complete)).toBe('beforeaftertree')
    await box.finished(await box.submit(operation.deployment, { kind: 'destroy' }))
    expect(await machinesOf(operation)).toEqual([])
  }

  async function expectUndone(operation: OperationWithUnits): Promise<void> {
    expect(operation.status).toBe('failed')
    expect(operation.result).toMatchObject({ undone: true })
    expect((await box.show(operation.deployment)).machines).toEqual([])
    expect(await machinesOf(operation)).toEqual([])
  }

  /** At the provider; the deployment's own id is not told by the API, its machines' names are. */
  async function machinesOf({ deployment }: { deployment: string }): Promise<string[]> {
    const rows = await box.query('select id from machines')
    const orphans = (await box.machines()).filter(({ tags }) => !rows.some(({ id }) => id === tags.machine))
    const own = await box.query(
      `select m.name from machines m join deployments d on d.id = m.deployment_id where d.name = '${deployment}'`,
    )
    return [...orphans.map(({ name }) => `orphan ${name}`), ...own.map(({ name }) => String(name))]
  }

  test.concurrent('a machine dies during install: failed with the machine and the resource named, undone', async (context) => {
    const { operation, guest } = await halfWay(context, 'dies')
    await guest.powerOff()
    const failed = await box.finished(operation)
    expect(failed.error).toMatchObject({ machine: 'box-1', resource: 'command:gate' })
    expect(failed.error?.message).toContain('box-1')
    await expectUndone(failed)
  })

  test.concurrent('a machine crashes during install and comes back: retried and done', async (context) => {
    const { operation, guest } = await halfWay(context, 'crashes')
    await guest.crash()
    await openGate(guest)
    await expectDone(operation, guest)
  })

  test.concurrent('a reboot mid-recipe: retried and done', async (context) => {
    const { operation, guest } = await halfWay(context, 'reboots')
    const before = guest.init()
    await guest.run(': >/var/lib/gate.open; systemctl reboot').catch(() => undefined)
    await expect.poll(() => initOf(guest)).not.toBe(before)
    await expectDone(operation, guest)
  })

  test.concurrent('apt lock held 60 s: waited for and done', async (context) => {
    const { operation, guest } = await halfWay(context, 'locked')
    // As dpkg itself holds it: fcntl(F_SETLK) with a struct flock of F_WRLCK, whole file.
    const hold =
      'open F, ">>", "/var/lib/dpkg/lock-frontend"; $l = pack("ssx4qql", 1, 0, 0, 0, 0); fcntl(F, 6, $l) or die $!; print "held"; close STDOUT; close STDERR; sleep 60'
    const began = Date.now()
    expect(await guest.run(`perl -e '${hold}' &`)).toBe('held')
    await openGate(guest)
    await expectDone(operation, guest)
    expect(Date.now() - began).toBeGreaterThan(59_000)
  })

  test.concurrent('disk full while a package is fetched: failed with its last lines, undone', async (context) => {
    const { operation, guest } = await halfWay(context, 'full')
    await guest.run('mount -t tmpfs -o size=12k none /var/cache/apt/archives && mkdir /var/cache/apt/archives/partial')
    await openGate(guest)
    const failed = await box.finished(operation)
    expect(failed.error).toMatchObject({ code: 'resource-failed', machine: 'box-1', resource: 'package:tree' })
    expect(failed.error?.output).toMatch(/space/)
    await expectUndone(failed)
  })

  test.concurrent('disk full while a file is written: failed with its last lines, undone', async (context) => {
    const { operation, guest } = await halfWay(
      context,
      'brimful',
      `
  - file: /srv/large
    phase: install
    content: ${'x'.repeat(100_000)}
`,
    )
    await guest.run('mount -t tmpfs -o size=64k none /srv')
    await openGate(guest)
    const failed = await box.finished(operation)
    expect(failed.error).toMatchObject({ code: 'resource-failed', machine: 'box-1', resource: 'file:/srv/large' })
    expect(failed.error?.output).toMatch(/ 100% \/srv/)
    await expectUndone(failed)
  })

  test.concurrent('SSH session killed mid-program: retried and done', async (context) => {
    const { operation, guest } = await halfWay(context, 'cut')
    await guest.run('pkill -9 -f "^sshd(-session)?: debian"')
    await openGate(guest)
    await expectDone(operation, guest)
  })

  test.concurrent('SSH packets dropped mid-program, longer than it is waited for: retried and done', async (context) => {
    const { operation, guest } = await halfWay(context, 'silent')
    const rule = ['INPUT', '-p', 'tcp', '--dport', '22', '-j', 'DROP']
    await guest.inNetwork('iptables', '-A', ...rule)
    await box.heard(operation, /cut/)
    await guest.inNetwork('iptables', '-D', ...rule)
    await openGate(guest)
    await expectDone(operation, guest)
  })
})

function initOf(guest: Guest): number | undefined {
  try {
    return guest.init()
  } catch {
    return undefined
  }
}
