import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import type { Bench, Family } from '../support/bench.ts'
import { machinesOf } from '../support/control-plane-machines.ts'
import { runScript } from '../support/fleet.ts'
import { interleaved, seconds } from '../support/measure.ts'
import { installPeers, type Peers } from '../support/peers.ts'
import { destroy } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 5

async function run(bench: Bench): Promise<Measured[]> {
  const plane = await bench.plane()
  bench.cleanup.add('resources18', () => destroy(plane, 'resources18'))
  await plane.kitbag(['deploy', join(root, 'bench/resources18.yaml'), '--cloud', 'home'])
  const { machines, privateKey, reach } = await machinesOf(bench, plane, 'resources18')
  const check = async () => {
    const { result } = (await plane.kitbag(['check', 'resources18'])) as { result: { drift: unknown[] } }
    if (result.drift.length > 0)
      throw new Error(`kitbag check found drift: ${JSON.stringify(result.drift).slice(0, 500)}`)
  }
  const against = async (name: string, peer: () => Promise<void>): Promise<Measured> => {
    const taken = await interleaved(rounds, { kitbag: () => seconds(check), [name]: () => seconds(peer) })
    const { kitbag = Number.NaN, [name]: other = Number.NaN } = taken as Record<string, number>
    const detail = `kitbag check ${kitbag.toFixed(2)} s, command to answer; ${name} ${other.toFixed(2)} s; ${rounds} pairs`
    return { value: other / kitbag, detail }
  }

  let peers: Peers
  try {
    peers = await installPeers(bench, machines, privateKey)
  } catch (error) {
    const detail = `the peers could not be installed here: ${(error as Error).message.split('\n').at(-1)}; kitbag check ${(await seconds(check)).toFixed(2)} s`
    return [
      { value: null, detail },
      { value: null, detail },
    ]
  }
  await peers.pyinfra()
  const pyinfra = await against(peers.versions.pyinfra, peers.pyinfra)
  // Ansible needs it on the machines, and nothing else does: so it comes last.
  const python = 'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-apt'
  await Promise.all(machines.map((machine) => runScript(reach, machine, `${python} </dev/null >/dev/null 2>&1`)))
  await peers.ansible()
  return [await against(peers.versions.ansible, peers.ansible), pyinfra]
}

export const check: Family = {
  name: 'check',
  rows: [
    {
      name: 'check-ansible',
      what: '`kitbag check` of the 18 on 4 machines, command to answer, through API and Temporal: times as fast as Ansible',
      unit: 'x',
      bar: { atLeast: 30 },
    },
    {
      name: 'check-pyinfra',
      what: 'the same: times as fast as pyinfra',
      unit: 'x',
      bar: { atLeast: 6 },
    },
  ],
  run,
}
