import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, readState } from '../../lib/state-file.ts'
import type { MachineRequirements } from '../../model/machine.ts'
import { groupName } from './names.ts'

/**
 * How a machine's processes are kept together and limited: `scope` where systemd runs the box (it owns the control groups and hands
 * one out), `groups` where it does not: one directory in every mounted hierarchy.
 */
export type Confinement = { kind: 'scope' } | { kind: 'groups'; hierarchies: string[] }

/** Microseconds. Short, so that a machine that used up its share waits a few of them, not a tenth of a second. */
const period = 20_000

export async function detectConfinement(): Promise<Confinement> {
  if (await exists('/run/systemd/system')) return { kind: 'scope' }
  return { kind: 'groups', hierarchies: parseHierarchies((await readState('/proc/self/mounts')) ?? '') }
}

/** Mount points of control group hierarchies, each hierarchy once. */
function parseHierarchies(mounts: string): string[] {
  const found = new Map<string, string>()
  for (const line of mounts.split('\n')) {
    const [, point = '', type = '', options = ''] = line.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    const identity = type === 'cgroup2' ? 'unified' : options.replace(/\b(rw|ro|nosuid|nodev|noexec|relatime)\b,?/g, '')
    if (!found.has(identity)) found.set(identity, point)
  }
  return [...found.values()]
}

/** The machine's own groups: those that we make, or where systemd puts its scope. Some may not be there. */
export function groupsOf(confinement: Confinement, id: string): string[] {
  if (confinement.kind === 'groups') return confinement.hierarchies.map((point) => join(point, groupName(id)))
  const scope = `system.slice/${groupName(id)}.scope`
  return [`/sys/fs/cgroup/${scope}`, `/sys/fs/cgroup/systemd/${scope}`]
}

/** What the supervisor's script needs to know of it, as variables. */
export function confinementVariables(
  confinement: Confinement,
  id: string,
  { cpu, memory }: MachineRequirements,
): Record<string, string> {
  const quota = Math.max(1000, Math.round(cpu * period))
  return {
    KITBAG_GROUPS: groupsOf(confinement, id).join(' '),
    KITBAG_SCOPE: confinement.kind === 'scope' ? scopeCommand(groupName(id), cpu, memory).join(' ') : '',
    KITBAG_MEMORY: String(memory),
    KITBAG_CPU_QUOTA: String(quota),
    KITBAG_CPU_PERIOD: String(period),
  }
}

/** `systemd-run` prefix; words without blanks, because the script splits it at them. */
function scopeCommand(unit: string, cpu: number, memory: number): string[] {
  const properties = ['Delegate=yes', `MemoryMax=${memory}`, `CPUQuota=${Math.max(1, Math.round(cpu * 100))}%`]
  return [
    'systemd-run',
    '--scope',
    '--quiet',
    '--collect',
    '--slice=system.slice',
    `--unit=${unit}`,
    `--property=CPUQuotaPeriodSec=${period}us`,
    ...properties.map((property) => `--property=${property}`),
  ]
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
