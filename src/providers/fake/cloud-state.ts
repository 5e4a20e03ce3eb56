import { createHash, randomBytes } from 'node:crypto'
import { appendFile, link, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, readState, writeState } from '../../lib/state-file.ts'
import type { FirewallRule } from '../../model/firewall.ts'
import type { MachineTags } from '../contract.ts'

/** A machine at the fake cloud. */
export interface FakeMachine {
  id: string
  name: string
  token: string
  tags: MachineTags
  address: string
  /** How many polls after its creation still see it pending. */
  pending: number
  gone: boolean
  hostKey: string
  /** Somebody else made it. */
  imported?: boolean
  stopped?: boolean
  /** Tags of its owner's. */
  labels?: Record<string, string>
}

/**
 * The fake cloud itself: a folder of one file per machine, so that it outlives the processes that talk to it and several can.
 * Creation is one link(2) of a whole file, which succeeds for exactly one of those who try.
 */
export interface CloudState {
  folder: string
  create(machine: Omit<FakeMachine, 'id' | 'address'>): Promise<FakeMachine>
  read(id: string): Promise<FakeMachine | undefined>
  /** The machine of a token, if it was created. */
  find(token: string): Promise<FakeMachine | undefined>
  write(machine: FakeMachine): Promise<void>
  /** Polls seen so far; `seen` counts one more. */
  polls(id: string, seen: boolean): Promise<number>
  list(): Promise<FakeMachine[]>
  count(): Promise<number>
  remove(id: string): Promise<void>
  /** The firewall of a deployment; undefined: it has none any more. */
  secure(deployment: string, firewall: Record<string, FirewallRule[]> | undefined): Promise<void>
  secured(deployment: string): Promise<Record<string, FirewallRule[]> | undefined>
}

export function cloudState(folder: string): CloudState {
  const machines = join(folder, 'machines')
  const addresses = join(folder, 'addresses')
  const pollsOf = (id: string) => join(folder, 'polls', id)
  const firewallOf = (deployment: string) => join(folder, 'firewalls', `${deployment}.json`)
  const file = (id: string) => join(machines, `${id}.json`)
  const read = async (id: string) => {
    if (!isId(id)) return undefined
    const text = await readState(file(id))
    return text === undefined ? undefined : (JSON.parse(text) as FakeMachine)
  }
  const ids = async () => (await list(machines)).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
  return {
    folder,
    read,
    find: (token) => read(idOf(token)),
    // Apart from the machine's own file: written there, a poll could bring back a machine that is just being destroyed.
    polls: async (id, seen) => {
      if (seen) {
        await mkdir(join(folder, 'polls'), { recursive: true })
        await appendFile(pollsOf(id), '.')
      }
      return ((await readState(pollsOf(id))) ?? '').length
    },
    count: async () => (await ids()).length,
    list: async () => {
      const found = await Promise.all((await ids()).sort().map(read))
      return found.filter((machine) => machine !== undefined)
    },
    write: (machine) => writeState(file(machine.id), JSON.stringify(machine)),
    create: async (wanted) => {
      const id = idOf(wanted.token)
      const found = await read(id)
      if (found) return found
      await Promise.all([machines, addresses].map((path) => mkdir(path, { recursive: true })))
      const machine = { ...wanted, id, address: await reserveAddress(addresses, id) }
      return (await linkWhole(file(id), JSON.stringify(machine))) ? machine : ((await read(id)) ?? machine)
    },
    remove: async (id) => {
      const machine = await read(id)
      if (!machine) return
      await rm(file(id), { force: true })
      await rm(join(addresses, machine.address), { force: true })
      await rm(pollsOf(id), { force: true })
    },
    secure: async (deployment, firewall) => {
      await mkdir(join(folder, 'firewalls'), { recursive: true })
      if (firewall) await writeState(firewallOf(deployment), JSON.stringify(firewall))
      else await rm(firewallOf(deployment), { force: true })
    },
    secured: async (deployment) => {
      const text = await readState(firewallOf(deployment))
      return text === undefined ? undefined : JSON.parse(text)
    },
  }
}

/** The same token, the same id; whoever asks. */
function idOf(token: string): string {
  return `fake-${createHash('sha256').update(token).digest('hex').slice(0, 16)}`
}

function isId(id: string): boolean {
  return /^fake-[0-9a-f]{16}$/.test(id)
}

/** An address that no other machine has: a file per address, holding the id that has it. */
async function reserveAddress(folder: string, id: string): Promise<string> {
  const start = Number.parseInt(id.slice(5, 13), 16)
  for (let step = 0; ; step++) {
    const value = (start + step) % 2 ** 24
    const address = `10.${[16, 8, 0].map((shift) => (value >> shift) & 255).join('.')}`
    if (/\.(0|255)$/.test(address)) continue
    const file = join(folder, address)
    if ((await linkWhole(file, id)) || (await readState(file)) === id) return address
  }
}

/** Creates a file with its whole content at once; false when there is one already. */
async function linkWhole(file: string, content: string): Promise<boolean> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
  await writeFile(temporary, content)
  try {
    await link(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
