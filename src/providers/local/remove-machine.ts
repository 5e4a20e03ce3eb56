import { access, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, readState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import type { LocalCloud } from './cloud.ts'
import { groupsOf } from './confinement.ts'
import { withLock } from './lock.ts'
import { cableName, groupName, machineMark, nspawnFolder, propagated } from './names.ts'
import { removeNetwork } from './network.ts'
import { kill, processesWith, waitUntil } from './processes.ts'
import { machineFolders, readRecord, writeRecord } from './records.ts'
import { run, tryRun } from './run.ts'

/** Milliseconds for killed processes to be gone. */
const killTimeout = 60_000

/** Milliseconds for the kernel to let go of what killed processes had. */
const releaseTimeout = 30_000

/** Removes a machine and, with the installation's last one, its network. What is gone already is fine. */
export async function destroyMachine(cloud: LocalCloud, id: string): Promise<void> {
  const { lock } = cloud.paths.machine(id)
  await withLock(lock, async () => {
    await removeMachine(cloud, id)
    await rm(lock, { force: true })
  })
  await withLock(cloud.paths.networkLock, async () => {
    if ((await machineFolders(cloud.paths, cloud.installation)).length > 0) return
    await removeNetwork(cloud.paths, cloud.installation)
    await rmdir(cloud.paths.machines).catch(() => {})
    await rm(cloud.paths.networkLock, { force: true })
  })
}

/**
 * Ends the guest at once (a machine that goes needs no shutdown) and removes what belongs to it. The record says so first and goes
 * last, so that a removal that was cut off is seen and finished. The caller holds the machine's lock.
 */
export async function removeMachine(cloud: LocalCloud, id: string): Promise<void> {
  const paths = cloud.paths.machine(id)
  const record = await readRecord(cloud.paths, id)
  if (record && record.state !== 'removing') await writeRecord(cloud.paths, { ...record, state: 'removing' })
  await afterProcesses(cloud, id, async () => {
    await removeCable(id)
    await removeGroups(cloud, id)
    await removeRemains(cloud, id)
  })
  // The mount was in the supervisor's own namespace and went with it.
  for (const folder of [paths.upper, paths.work, paths.root]) await rm(folder, { recursive: true, force: true })
  await rm(paths.folder, { recursive: true, force: true })
}

/**
 * Does something once no process of the machine is left. One that is just becoming another program shows no environment and is missed
 * by who looks for it: it would make a group, or boot the guest, after all was removed. What holds the supervisor's lock is such a one.
 */
async function afterProcesses(cloud: LocalCloud, id: string, work: () => Promise<void>): Promise<void> {
  const { supervisorLock } = cloud.paths.machine(id)
  for (const end = Date.now() + killTimeout; ; ) {
    await endProcesses(cloud, id)
    try {
      return await withLock(supervisorLock, work, 1)
    } catch (error) {
      if (!(error instanceof KitbagError) || error.code !== 'conflict' || Date.now() > end) throw error
    }
  }
}

/**
 * Kills until nothing is left: supervisor and systemd-nspawn are known by their environment, whatever became of their pid files; the
 * guest's processes by their group (they outlive a systemd-nspawn that was killed).
 */
async function endProcesses(cloud: LocalCloud, id: string): Promise<void> {
  const groups = groupsOf(cloud.confinement, id)
  const ended = await waitUntil(async () => {
    const outside = (await processesWith(machineMark(id))).map(({ pid }) => pid)
    outside.forEach(kill)
    const inside = (await Promise.all(groups.map(processesIn))).flat()
    inside.forEach(kill)
    return outside.length + inside.length === 0
  }, killTimeout)
  if (ended) return
  throw new KitbagError('provider-failed', `local: processes of machine ${id} do not end`, {
    retryable: true,
    fix: `See which: systemd-cgls ${groups[0] ?? groupName(id)}`,
  })
}

async function processesIn(group: string): Promise<number[]> {
  const listed = (await readState(join(group, 'cgroup.procs')).catch(() => undefined)) ?? ''
  const below = await Promise.all((await foldersIn(group)).map(processesIn))
  const own = listed.split('\n').filter((line) => line !== '' && line !== '0')
  return [...own.map(Number), ...below.flat()]
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** It would go with the guest's network namespace too, but some time later: its name is free when we return. */
async function removeCable(id: string): Promise<void> {
  const cable = cableName(id)
  const gone = async () =>
    access(`/sys/class/net/${cable}`).then(
      () => false,
      () => true,
    )
  if (await gone()) return
  await tryRun('ip', ['link', 'delete', cable])
  if (!(await waitUntil(gone, releaseTimeout))) await run('ip', ['link', 'delete', cable])
}

/** Where systemd keeps the groups, an empty scope goes by itself. */
async function removeGroups(cloud: LocalCloud, id: string): Promise<void> {
  if (cloud.confinement.kind === 'scope') return
  for (const group of groupsOf(cloud.confinement, id)) await removeTree(group)
}

/** What systemd-nspawn keeps of a guest outside of its folder, and leaves when it is killed. */
async function removeRemains(cloud: LocalCloud, id: string): Promise<void> {
  await rm(propagated(id), { recursive: true, force: true })
  const name = ((await readState(cloud.paths.machine(id).nspawnLock)) ?? '').trim()
  if (/^inode-\d+:\d+$/.test(name)) await rm(join(nspawnFolder, 'locks', name), { force: true })
}

/** Control groups are removed by rmdir, from the leaves; the kernel may need a moment after the last process. */
async function removeTree(group: string): Promise<void> {
  for (const folder of await foldersIn(group)) await removeTree(folder)
  let problem: unknown
  const removed = await waitUntil(async () => {
    try {
      await rmdir(group)
      return true
    } catch (error) {
      problem = error
      return isMissing(error)
    }
  }, releaseTimeout)
  if (removed) return
  throw new KitbagError('provider-failed', `local: a control group stays: ${problem}`, {
    retryable: true,
    fix: `See what is in it: find ${group} -name cgroup.procs -exec cat {} +`,
  })
}
