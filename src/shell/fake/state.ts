import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readState, writeState } from '../../lib/state-file.ts'

export interface FakeServer {
  backend: string
  server: string
  address: string
  port: number
  state: 'ready' | 'drain' | 'maint'
  weight: number
}

/** What a pretended machine remembers. */
export interface FakeMachineState {
  /** Digest of a program's resource names -> digest of what it last did. */
  applied: Record<string, string>
  /** Its pretended HAProxy, once a program has written a configuration. */
  haproxy?: { structure: string; frontends: string[]; servers: FakeServer[] }
}

export interface FakeStates {
  get(machineId: string): Promise<FakeMachineState>
  /** Reads, changes and writes; calls for one machine take turns. */
  update<T>(machineId: string, change: (state: FakeMachineState) => T): Promise<T>
  remove(machineId: string): Promise<void>
}

/** In memory, or one file per machine in a folder, where another process finds it. */
export function createStates(folder: string | undefined): FakeStates {
  const memory = new Map<string, FakeMachineState>()
  const turns = new Map<string, Promise<unknown>>()

  async function get(machineId: string): Promise<FakeMachineState> {
    if (!folder) return memory.get(machineId) ?? { applied: {} }
    const text = await readState(join(folder, `${machineId}.json`))
    return text === undefined ? { applied: {} } : JSON.parse(text)
  }

  async function turn<T>(machineId: string, change: (state: FakeMachineState) => T): Promise<T> {
    const state = await get(machineId)
    const before = JSON.stringify(state)
    const result = change(state)
    if (JSON.stringify(state) === before) return result
    if (folder) await writeState(join(folder, `${machineId}.json`), JSON.stringify(state))
    else memory.set(machineId, state)
    return result
  }

  return {
    get,
    update(machineId, change) {
      const mine = (turns.get(machineId) ?? Promise.resolve()).then(() => turn(machineId, change))
      const settled = mine.catch(() => {})
      turns.set(machineId, settled)
      void settled.then(() => turns.get(machineId) === settled && turns.delete(machineId))
      return mine
    },
    async remove(machineId) {
      memory.delete(machineId)
      if (folder) await rm(join(folder, `${machineId}.json`), { force: true })
    },
  }
}
