import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { KitbagError } from '../../model/errors.ts'
import { withLock } from './lock.ts'
import { lastLine, tryRun } from './run.ts'

/** What the driver runs on the box, and the Debian package that brings it. A path with `/` is a file. */
const needed: Record<string, string> = {
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  iptables: 'iptables',
  ip: 'iproute2',
  unshare: 'util-linux',
  flock: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
}

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export interface MissingTool {
  tool: string
  package: string
}

/** What of it this box lacks. */
export async function missingTools(): Promise<MissingTool[]> {
  const found = await Promise.all(Object.keys(needed).map(isThere))
  return Object.entries(needed).flatMap(([tool, name], i) => (found[i] ? [] : [{ tool, package: name }]))
}

async function isThere(tool: string): Promise<boolean> {
  const paths = tool.startsWith('/') ? [tool] : folders.map((folder) => join(folder, tool))
  const hits = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  )
  return hits.includes(true)
}

/** Installs what is missing with apt-get. Throws `prerequisite-missing` where that cannot be done. */
export async function installHostPackages(onProgress: (detail: string) => void): Promise<void> {
  if ((await missingTools()).length === 0) return
  await withLock('/run/lock/kitbag-packages.lock', () => install(onProgress), 600)
}

async function install(onProgress: (detail: string) => void): Promise<void> {
  const missing = await missingTools()
  if (missing.length === 0) return
  const names = [...new Set(missing.map((item) => item.package))]
  if (!(await isThere('apt-get'))) throw notInstalled(missing, 'there is no apt-get on this box')
  onProgress(`Installing ${names.join(', ')}`)
  const first = await aptGet(['install', '--yes', '--no-install-recommends', ...names], onProgress)
  // A fresh box has no package lists, or old ones.
  const lists = first.status === 0 ? first : await aptGet(['update'], onProgress)
  const last =
    first.status === 0 ? first : await aptGet(['install', '--yes', '--no-install-recommends', ...names], onProgress)
  if (last.status !== 0) throw notInstalled(missing, lastLine(last.tail || lists.tail), `${lists.tail}\n${last.tail}`)
}

function aptGet(args: string[], onProgress: (detail: string) => void) {
  return tryRun('apt-get', ['--quiet', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
    onLine: (line) => {
      if (/^(Get|Unpacking|Setting up)/.test(line)) onProgress(line)
    },
  })
}

function notInstalled(missing: MissingTool[], reason: string, output?: string): KitbagError {
  const names = [...new Set(missing.map((item) => item.package))].join(' ')
  const tools = missing.map((item) => item.tool).join(', ')
  return new KitbagError(
    'prerequisite-missing',
    `local: this box lacks ${tools}, and apt-get cannot install it: ${reason}`,
    {
      fix: `Install the packages ${names} by hand, then try again.`,
      ...(output !== undefined && { output }),
    },
  )
}
