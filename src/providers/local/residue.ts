import { readdir, readFile } from 'node:fs/promises'
import type { LocalCloud } from './cloud.ts'
import { listRules } from './firewall.ts'
import { bridgeName, groupName, installationMark, machinePrefix } from './names.ts'
import { processesWith } from './processes.ts'
import { machineFolders } from './records.ts'
import { tryRun } from './run.ts'

/** What of an installation's machines is on the box, one line each: folders, processes, mounts, interfaces, groups, rules. */
export async function residue(cloud: LocalCloud, installation: string): Promise<string[]> {
  const found = await Promise.all([
    folders(cloud, installation),
    processes(installation),
    mounts(cloud),
    interfaces(installation),
    groups(cloud, installation),
    rules(installation),
  ])
  return found.flat()
}

async function folders(cloud: LocalCloud, installation: string): Promise<string[]> {
  const ids = await machineFolders(cloud.paths, installation)
  return ids.map((id) => `folder ${cloud.paths.machine(id).folder}`)
}

async function processes(installation: string): Promise<string[]> {
  const found = await processesWith(installationMark(installation))
  return found.map(({ pid, name }) => `process ${pid} ${name}`)
}

async function mounts(cloud: LocalCloud): Promise<string[]> {
  const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const points = lines.map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${cloud.paths.machines}/`)).map((point) => `mount ${point}`)
}

async function interfaces(installation: string): Promise<string[]> {
  const names = await readdir('/sys/class/net')
  const ours = names.filter(
    (name) => name === bridgeName(installation) || name.startsWith(`vb-${machinePrefix(installation)}`),
  )
  return ours.map((name) => `interface ${name}`)
}

async function groups(cloud: LocalCloud, installation: string): Promise<string[]> {
  const prefix = groupName(machinePrefix(installation))
  if (cloud.confinement.kind === 'scope') {
    const { stdout } = await tryRun('systemctl', ['list-units', '--all', '--plain', '--no-legend', `${prefix}*.scope`])
    return stdout.split('\n').flatMap((line) => (line.trim() ? [`unit ${line.trim().split(' ', 1)[0]}`] : []))
  }
  const listed = await Promise.all(
    cloud.confinement.hierarchies.map(async (point) => {
      const names = await readdir(point)
      return names.filter((name) => name.startsWith(prefix)).map((name) => `control group ${point}/${name}`)
    }),
  )
  return listed.flat()
}

async function rules(installation: string): Promise<string[]> {
  return (await listRules(installation)).map(({ table, words }) => `iptables rule ${table} ${words.join(' ')}`)
}
