import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blueprint } from '../../demo/guestbook.ts'
import type { Bench, Family } from '../support/bench.ts'
import { createFleet, type Fleet, smallMachine } from '../support/fleet.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { destroy, type Operation, type Plane } from '../support/plane.ts'

const rounds = 6

const names = ['one', 'two', 'three', 'four']

/** As large as the largest that the guestbook asks for. */
const requirements = { ...smallMachine, memory: 2 ** 30 }

interface Unit {
  kind: string
  startedAt: string
  finishedAt: string
}

/** Seconds of the slowest machine's creation, until it answers SSH. */
async function bootOf({ client }: Plane, deployment: string): Promise<number> {
  const path = `/v1/operations?deployment=${deployment}&limit=1`
  const { items } = await client.json<{ items: Operation[] }>('GET', path)
  const { units } = await client.json<{ units: Unit[] }>('GET', `/v1/operations/${items[0]?.id}`)
  const taken = units
    .filter(({ kind }) => kind === 'create')
    .map((unit) => time(unit.finishedAt) - time(unit.startedAt))
  return Math.max(...taken) / 1_000
}

const time = (text: string) => new Date(text).getTime()

async function deployLocally(plane: Plane): Promise<number> {
  const taken = await seconds(() => plane.kitbag(['deploy', blueprint, '--name', 'made', '--cloud', 'home']))
  const boot = await bootOf(plane, 'made')
  await destroy(plane, 'made')
  return taken - boot
}

/** Fresh ones each time: packages would stay on them. Looking at them and claiming one counts, as it takes the place of a creation. */
async function deployOnOwned(plane: Plane, fleet: Fleet, key: string): Promise<number> {
  const machines = await Promise.all(names.map((name) => fleet.boot(name, requirements)))
  await Promise.all(
    machines.map((machine) => fleet.reach.exec(machine, 'cat >>.ssh/authorized_keys', { stdin: `${key}\n` })),
  )
  const settings = {
    machines: machines.map(({ name, address, hostKey }) => ({ name, address, hostKey: bare(hostKey) })),
  }
  const file = join(plane.home, 'machines.json')
  writeFileSync(file, JSON.stringify(settings))
  await plane.kitbag(['cloud', 'set', 'metal', '--settings', file])
  const taken = await seconds(() => plane.kitbag(['deploy', blueprint, '--name', 'owned', '--cloud', 'metal']))
  await destroy(plane, 'owned')
  await fleet.destroy(machines)
  return taken
}

const bare = (hostKey: string) => hostKey.split(' ').slice(0, 2).join(' ')

async function loginKey(plane: Plane): Promise<string> {
  await plane.kitbag(['cloud', 'add', 'metal', '--provider', 'ssh'])
  const { findings } = await plane.client.json<{ findings: { detail: string }[] }>('POST', '/v1/clouds/metal/test')
  const [key] = /ssh-ed25519 .*/.exec(findings[0]?.detail ?? '') ?? []
  if (key === undefined) throw new Error('the test of the cloud does not give the login key')
  return key
}

export const ownedMachines: Family = {
  name: 'owned-machines',
  rows: [
    {
      name: 'owned-machines',
      what: 'whole first deploy of examples/guestbook on machines that exist, against the same on `local`, boot taken off',
      unit: 'x',
      bar: { atMost: 1.05 },
    },
  ],
  run: async (bench: Bench) => {
    const plane = await bench.plane()
    const fleet = await createFleet(bench)
    const key = await loginKey(plane)
    const taken = await interleaved(rounds, {
      local: () => deployLocally(plane),
      owned: () => {
        bench.signal.throwIfAborted()
        return deployOnOwned(plane, fleet, key)
      },
    })
    const detail = `${taken.owned.toFixed(1)} s, claims included, against ${taken.local.toFixed(1)} s, ${rounds} pairs`
    return [{ value: taken.owned / taken.local, detail }]
  },
}
