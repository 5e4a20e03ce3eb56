import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, readState, writeState } from '../../lib/state-file.ts'

interface FakeStaticAddress {
  installation: string
  deployment: string
  name: string
  address: string
  /** Id of the machine that has it. */
  machine: string
}

/** Static addresses of a fake cloud: a file for each. Those who change one are few and wait for each other. */
export interface FakeStaticAddresses {
  /** Makes it if it is not there; takes it from whoever has it. */
  assign(wanted: Pick<FakeStaticAddress, 'installation' | 'deployment' | 'name'>, machine: string): Promise<void>
  list(matches: (one: FakeStaticAddress) => boolean): Promise<FakeStaticAddress[]>
  remove(deployment: string, name: string): Promise<void>
}

export function fakeStaticAddresses(cloud: string): FakeStaticAddresses {
  const folder = join(cloud, 'static-addresses')
  const file = (deployment: string, name: string) => join(folder, `${deployment}~${name}.json`)
  let turn: Promise<unknown> = Promise.resolve()

  async function list(matches: (one: FakeStaticAddress) => boolean): Promise<FakeStaticAddress[]> {
    const texts = await Promise.all((await namesIn(folder)).map((name) => readState(join(folder, name))))
    const all = texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as FakeStaticAddress]))
    return all.filter(matches).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async function assign(wanted: Parameters<FakeStaticAddresses['assign']>[0], machine: string): Promise<void> {
    const known = await list(() => true)
    const own = known.find(({ deployment, name }) => deployment === wanted.deployment && name === wanted.name)
    const taken = new Set(known.map(({ address }) => address))
    let last = 1
    while (taken.has(`203.0.113.${last}`)) last++
    await mkdir(folder, { recursive: true })
    const address = own?.address ?? `203.0.113.${last}`
    await writeState(file(wanted.deployment, wanted.name), JSON.stringify({ ...wanted, address, machine }))
  }

  return {
    list,
    assign(wanted, machine) {
      const done = turn.then(() => assign(wanted, machine))
      turn = done.catch(() => undefined)
      return done
    },
    remove: (deployment, name) => rm(file(deployment, name), { force: true }),
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json'))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
