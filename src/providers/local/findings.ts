import { mkdir, mkdtemp, rm, rmdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '../../model/finding.ts'
import type { LocalCloud } from './cloud.ts'
import { missingTools } from './host-packages.ts'
import { lastLine, tryRun } from './run.ts'

/** Free bytes below which a deployment would soon fill the disk. */
const wantedSpace = 1024 ** 3

/** What would keep machines from running on this box. */
export async function findings(cloud: LocalCloud): Promise<Finding[]> {
  const linux = process.platform === 'linux'
  const root = process.getuid?.() === 0
  const basics: Finding[] = [
    { name: 'linux', ok: linux, detail: process.platform },
    { name: 'root', ok: root, detail: root ? 'running as root' : 'machines on this box take root: run Kitbag as root' },
  ]
  if (!linux || !root) return basics
  await mkdir(cloud.paths.folder, { recursive: true, mode: 0o700 })
  return [...basics, ...(await Promise.all([tools(), overlay(cloud), space(cloud), groups(cloud)]))]
}

async function tools(): Promise<Finding> {
  const missing = await missingTools()
  const packages = [...new Set(missing.map((item) => item.package))].join(' ')
  return {
    name: 'tools',
    ok: missing.length === 0,
    detail: missing.length === 0 ? 'all there' : `missing; install the packages ${packages}`,
  }
}

/** Tried for real, below the folder where machines will be: not every file system can carry an overlay. */
async function overlay(cloud: LocalCloud): Promise<Finding> {
  const folder = await mkdtemp(join(cloud.paths.folder, 'overlay-'))
  try {
    const [lower, upper, work, root] = ['lower', 'upper', 'work', 'root'].map((name) => join(folder, name))
    for (const path of [lower, upper, work, root]) await mkdir(path ?? '')
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
    const mount = ['mount', '-t', 'overlay', 'overlay', '-o', options, root ?? '']
    const { status, tail } = await tryRun('unshare', ['--mount', ...mount])
    const detail = status === 0 ? `works in ${cloud.paths.folder}` : `fails in ${cloud.paths.folder}: ${lastLine(tail)}`
    return { name: 'overlayfs', ok: status === 0, detail }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function space(cloud: LocalCloud): Promise<Finding> {
  const { bavail, bsize } = await statfs(cloud.paths.folder)
  const free = bavail * bsize
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free in ${cloud.paths.folder}`
  return { name: 'space', ok: free >= wantedSpace, detail: free >= wantedSpace ? detail : `${detail}, 1 GiB is needed` }
}

async function groups(cloud: LocalCloud): Promise<Finding> {
  const name = 'control groups'
  if (cloud.confinement.kind === 'scope') return { name, ok: true, detail: 'systemd hands them out' }
  const { hierarchies } = cloud.confinement
  if (hierarchies.length === 0) return { name, ok: false, detail: 'no hierarchy is mounted (/sys/fs/cgroup)' }
  const refused = await Promise.all(hierarchies.map(refusal))
  const first = refused.find((reason) => reason !== undefined)
  return {
    name,
    ok: first === undefined,
    detail: first ?? `${hierarchies.length} hierarchies, one group each per machine`,
  }
}

/** One name for all who try: what somebody left who was killed in between goes with the next try. */
const trial = 'kitbag-test'

async function refusal(point: string): Promise<string | undefined> {
  const unless = (code: string) => (error: NodeJS.ErrnoException) => {
    if (error.code !== code) throw error
  }
  try {
    await mkdir(join(point, trial)).catch(unless('EEXIST'))
    await rmdir(join(point, trial)).catch(unless('ENOENT'))
    return undefined
  } catch (error) {
    return `cannot make a group in ${point}: ${error instanceof Error ? error.message : String(error)}`
  }
}
