import { readdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LocalCloud } from './cloud.ts'
import { listRules } from './firewall.ts'
import {
  bridgeName,
  cableName,
  groupName,
  installationMark,
  isMachineId,
  machineMark,
  machinePrefix,
  propagated,
} from './names.ts'
import { processesWith } from './processes.ts'
import { machineFolders } from './records.ts'
import { tryRun } from './run.ts'

/**
 * What of an installation's machines is on the box beyond the `known` ones, one line each: folders, processes, mounts, interfaces,
 * groups, rules. While there is a known machine, what all share (bridge and rules) is in use.
 */
export async function residue(cloud: LocalCloud, installation: string, known: string[]): Promise<string[]> {
  const found = await Promise.all([
    folders(cloud, installation, known),
    processes(installation, known),
    mounts(cloud, known),
    interfaces(installation, known),
    groups(cloud, installation, known),
    known.length > 0 ? [] : rules(installation),
  ])
  return found.flat()
}

async function folders(cloud: LocalCloud, installation: string, known: string[]): Promise<string[]> {
  const ids = await machineFolders(cloud.paths, installation)
  const given = (await readdir(dirname(propagated('x'))).catch(() => [])).filter((id) => isMachineId(installation, id))
  const unknown = (id: string) => !known.includes(id)
  return [
    ...ids.filter(unknown).map((id) => `folder ${cloud.paths.machine(id).folder}`),
    ...given.filter(unknown).map((id) => `folder ${propagated(id)}`),
  ]
}

async function processes(installation: string, known: string[]): Promise<string[]> {
  const found = await processesWith(installationMark(installation), known.map(machineMark))
  return found.filter(({ marks }) => marks.length === 0).map(({ pid, name }) => `process ${pid} ${name}`)
}

async function mounts(cloud: LocalCloud, known: string[]): Promise<string[]> {
  const used = known.map((id) => `${cloud.paths.machine(id).folder}/`)
  const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const points = lines.map((line) => line.split(' ')[1] ?? '')
  return points
    .filter((point) => point.startsWith(`${cloud.paths.machines}/`) && !used.some((folder) => point.startsWith(folder)))
    .map((point) => `mount ${point}`)
}

async function interfaces(installation: string, known: string[]): Promise<string[]> {
  const used = new Set(known.map(cableName))
  const bridge = known.length > 0 ? undefined : bridgeName(installation)
  const names = await readdir('/sys/class/net')
  const ours = names.filter(
    (name) => name === bridge || (name.startsWith(cableName(machinePrefix(installation))) && !used.has(name)),
  )
  return ours.map((name) => `interface ${name}`)
}

async function groups(cloud: LocalCloud, installation: string, known: string[]): Promise<string[]> {
  const prefix = groupName(machinePrefix(installation))
  const used = new Set(known.map(groupName))
  if (cloud.confinement.kind === 'scope') {
    const { stdout } = await tryRun('systemctl', ['list-units', '--all', '--plain', '--no-legend', `${prefix}*.scope`])
    const units = stdout.split('\n').map((line) => line.trim().split(' ', 1)[0] ?? '')
    return units.filter((unit) => unit !== '' && !used.has(unit.replace(/\.scope$/, ''))).map((unit) => `unit ${unit}`)
  }
  const listed = await Promise.all(
    cloud.confinement.hierarchies.map(async (point) => {
      const names = await readdir(point)
      return names
        .filter((name) => name.startsWith(prefix) && !used.has(name))
        .map((name) => `control group ${point}/${name}`)
    }),
  )
  return listed.flat()
}

async function rules(installation: string): Promise<string[]> {
  return (await listRules(installation)).map(({ table, words }) => `iptables rule ${table} ${words.join(' ')}`)
}
