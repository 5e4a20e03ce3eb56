import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { until } from '../../support/until.ts'
import { type CliControlPlane, shopText, startCliControlPlane } from './control-plane.ts'

let plane: CliControlPlane
beforeAll(async () => {
  plane = await startCliControlPlane()
})
afterEach(() => plane.cloud.set({}))
afterAll(() => plane?.stop())

const kitbag = (...args: string[]) => plane.kitbag(args)

interface Operation {
  id: string
  kind: string
  status: string
}

async function operationsOf(deployment: string): Promise<Operation[]> {
  return JSON.parse((await kitbag('operations', deployment, '--json')).stdout) as Operation[]
}

function ended(child: ReturnType<CliControlPlane['start']>): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => child.once('close', (status, signal) => resolve([status, signal])))
}

/** A deploy that runs, watched by a child process: no machine is made until the cloud is set anew. */
async function watchedDeploy(name: string) {
  await plane.cloud.set({ latency: 3000 })
  const args = ['deploy', plane.blueprint(shopText(name)), '--cloud', 'home']
  const child = plane.start(args)
  const end = ended(child)
  await until(() => child.output().includes('create     running'))
  await plane.cloud.set({ latency: 600_000 })
  return { args, child, end }
}

/** Runs the same command again; the cloud goes on once that watches. Gives its exit code. */
async function comeBack(args: string[]): Promise<number | null> {
  const child = plane.start(args)
  const end = ended(child)
  await until(() => child.output().includes('create     running'))
  await plane.cloud.set({})
  return (await end)[0]
}

describe('while it is watched', () => {
  test('the watcher killed and run again comes back to the running operation, and starts no second', async () => {
    const { args, child, end } = await watchedDeploy('again')
    child.kill('SIGKILL')
    await end
    const [running] = await operationsOf('again')
    expect(running?.status).toBe('running')
    expect(await comeBack(args)).toBe(0)
    expect(await operationsOf('again')).toMatchObject([{ id: running?.id, status: 'succeeded' }])
  })

  test('Ctrl-C stops watching, not the operation, and says how to come back and how to cancel', async () => {
    const { args, child, end } = await watchedDeploy('interrupted')
    child.kill('SIGINT')
    expect(await end).toEqual([1, null])
    const [running] = await operationsOf('interrupted')
    expect(running?.status).toBe('running')
    expect(child.output()).toContain(`kitbag: no longer watching ${running?.id}; it goes on`)
    expect(child.output()).toContain(`kitbag cancel ${running?.id}`)
    expect(await comeBack(args)).toBe(0)
    expect(await operationsOf('interrupted')).toHaveLength(1)
  })

  test('cancel undoes it; both that cancel and that watch are told', async () => {
    const { child, end } = await watchedDeploy('cancelled')
    const [running] = await operationsOf('cancelled')
    const cancelling = kitbag('cancel', running?.id ?? '')
    await until(async () => (await operationsOf('cancelled'))[0]?.status === 'cancelling')
    await plane.cloud.set({})
    const cancelled = await cancelling
    expect(cancelled.status).toBe(0)
    expect(cancelled.stderr).toContain(`deploy of cancelled cancelled (${running?.id})`)
    expect(await end).toEqual([1, null])
    expect(child.output()).toContain('the deploy was cancelled; what it had made was undone')
    const again = await kitbag('cancel', running?.id ?? '')
    expect([again.status, again.stdout]).toEqual([4, ''])
    expect(again.stderr).toContain('is over already: deploy of cancelled cancelled')
    expect((await kitbag('cancel', 'op_none')).status).toBe(3)
  })

  test('another change waits its turn, or is refused with --on-conflict refuse', async () => {
    const { end } = await watchedDeploy('busy')
    const other = ['deploy', plane.blueprint(shopText('busy', ', OTHER: "1"')), '--cloud', 'home']
    const refused = await kitbag(...other, '--on-conflict', 'refuse', '--json')
    expect([refused.status, JSON.parse(refused.stdout)]).toMatchObject([4, { code: 'operation-running', status: 409 }])
    const queued = await kitbag(...other, '--no-wait')
    expect(queued.stdout).toMatch(/^op_\S+ queued\n$/)
    const waiting = queued.stdout.split(' ')[0] ?? ''
    expect((await kitbag('cancel', waiting, '--no-wait')).stdout).toBe(`${waiting} cancelled\n`)
    await plane.cloud.set({})
    expect((await end)[0]).toBe(0)
  })

  test('a control plane that is killed and started again: the watcher takes up where it was', async () => {
    const { child, end } = await watchedDeploy('survivor')
    await plane.restart()
    await plane.cloud.set({})
    expect(await end).toEqual([0, null])
    expect(child.output()).toContain('deploy of survivor: done')
    expect(await operationsOf('survivor')).toHaveLength(1)
  })
})

describe('a reader that goes first', () => {
  test.each(['list --json', 'schema', '--help', 'operations', 'deploy BLUEPRINT 2>&1'])(
    'kitbag %s | head -1 ends quietly',
    async (command) => {
      const words = command.replace('BLUEPRINT', `${plane.blueprint(shopText('piped'))} --cloud home`)
      const script = `${join(packageRoot(), 'bin/kitbag')} ${words} | head -1`
      const child = spawn('sh', ['-c', script], {
        env: { PATH: process.env.PATH, KITBAG_HOME: plane.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (chunk) => (stdout += chunk))
      child.stderr.on('data', (chunk) => (stderr += chunk))
      await new Promise((resolve) => child.once('close', resolve))
      expect(stderr).toBe('')
      expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    },
  )
})
