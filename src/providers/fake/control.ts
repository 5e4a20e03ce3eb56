import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readState, writeState } from '../../lib/state-file.ts'
import type { FirewallRule } from '../../model/firewall.ts'
import { cloudState, type FakeMachine } from './cloud-state.ts'
import { fakeFolder } from './driver.ts'
import { controlSchema, type FakeControl } from './settings.ts'

/** What a test does to a fake cloud from outside, while other processes use it. */
export interface FakeCloudControl {
  /** Every machine that exists there. */
  machines(): Promise<FakeMachine[]>
  /** Faults, latency, ... from now on, in every process, for calls that wait for their latency too; counts of `times` begin anew. */
  set(control: FakeControl): Promise<void>
  /** What a deployment's firewall was told; undefined: nothing, or it was released. */
  firewall(deployment: string): Promise<Record<string, FirewallRule[]> | undefined>
  /** A machine that somebody else made, with tags of theirs; gives its id. */
  plant(name: string, more?: Partial<Pick<FakeMachine, 'tags' | 'labels' | 'stopped' | 'hostKey'>>): Promise<string>
  /** The machine ends at the cloud, though it stays listed (as `gone`). */
  kill(id: string): Promise<void>
  /** Calls since `recordCalls` was set, oldest first. */
  calls(): Promise<{ call: string; machine: string; fault?: string }[]>
}

export function controlFakeCloud(home: string, cloud: string): FakeCloudControl {
  const folder = fakeFolder(home, cloud)
  const state = cloudState(folder)
  return {
    machines: () => state.list(),
    set: async (control) => {
      controlSchema.parse(control)
      await mkdir(folder, { recursive: true })
      await rm(join(folder, 'claims'), { recursive: true, force: true })
      await writeState(join(folder, 'control.json'), JSON.stringify(control))
    },
    firewall: (deployment) => state.secured(deployment),
    plant: async (name, more = {}) => {
      const tags = { installation: '', deployment: '', machine: '' }
      const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZha2U='
      const { id } = await state.create({ name, token: name, tags, pending: 0, gone: false, hostKey, ...more })
      return id
    },
    kill: async (id) => {
      const machine = await state.read(id)
      if (machine) await state.write({ ...machine, gone: true })
    },
    calls: async () => {
      const lines = ((await readState(join(folder, 'calls.jsonl'))) ?? '').split('\n')
      return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
    },
  }
}
