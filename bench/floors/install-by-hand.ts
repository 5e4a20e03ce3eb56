import type { MachineRequirements } from '../../src/model/machine.ts'
import { type Fleet, runScript, smallMachine } from '../support/fleet.ts'
import { seconds } from '../support/measure.ts'

/** One machine, and what is typed on it as soon as it answers SSH. */
export interface Chain {
  machine: string
  /** Default: as blueprints have them when they say nothing. */
  requirements?: MachineRequirements
  packages: string[]
  /** Units that run afterwards. */
  services: string[]
}

/** As Kitbag's recipes install: nftables everywhere, and no recommended packages, which is less work and so the harder floor. */
function script({ packages, services }: Chain): string {
  return `set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends nftables ${packages.join(' ')} </dev/null >/dev/null 2>&1
for service in ${services.join(' ')}; do systemctl start "$service"; systemctl is-active -q "$service"; done
`
}

/** Seconds from the first machine's creation until the slowest chain is through: all boot and install side by side. */
export async function installByHand(fleet: Fleet, chains: Chain[]): Promise<number> {
  const machines: Awaited<ReturnType<Fleet['boot']>>[] = []
  const taken = await seconds(() =>
    Promise.all(
      chains.map(async (chain) => {
        const machine = await fleet.boot(chain.machine, chain.requirements)
        machines.push(machine)
        await runScript(fleet.reach, machine, script(chain))
      }),
    ),
  )
  await fleet.destroy(machines)
  return taken
}

const web = (packages: string[], services: string[]): Chain[] =>
  ['web-1', 'web-2'].map((machine) => ({ machine, packages, services }))

/** What bench/four-machines.yaml deploys. */
export const fourMachines: Chain[] = [
  { machine: 'lb-1', packages: ['haproxy'], services: ['haproxy'] },
  ...web(['nginx-light'], ['nginx']),
  { machine: 'db-1', packages: ['postgresql'], services: ['postgresql'] },
]

/** What examples/guestbook deploys, without the application. */
export const guestbookMachines: Chain[] = [
  { machine: 'lb-1', packages: ['haproxy'], services: ['haproxy'] },
  ...web(['nodejs', 'node-pg'], []),
  {
    machine: 'db-1',
    requirements: { ...smallMachine, memory: 2 ** 30 },
    packages: ['postgresql'],
    services: ['postgresql'],
  },
]

/** On every machine that is watched. */
const exporters = ['prometheus-node-exporter', 'prometheus-exporter-exporter']

/** On each machine that runs the application of examples/shop. */
export const shopWebPackages = ['nodejs', 'node-pg', ...exporters]

/** What examples/shop deploys, without the application and without anything configured. */
export const shopMachines: Chain[] = [
  ...['lb-1', 'lb-2'].map((machine) => ({
    machine,
    packages: ['haproxy', 'mtail', 'openssl', ...exporters],
    services: ['haproxy'],
  })),
  ...['dns-1', 'dns-2'].map((machine) => ({
    machine,
    packages: ['pdns-server', 'pdns-backend-bind', 'pdns-backend-geoip', ...exporters],
    // As it is packaged it does not start without a configuration.
    services: [],
  })),
  ...web(shopWebPackages, []),
  {
    machine: 'db-1',
    requirements: { ...smallMachine, memory: 2 ** 30 },
    packages: ['postgresql', 'prometheus-postgres-exporter', ...exporters],
    services: ['postgresql'],
  },
  {
    machine: 'monitoring-1',
    packages: ['prometheus', 'prometheus-alertmanager', ...exporters],
    services: ['prometheus', 'prometheus-alertmanager'],
  },
]
