import { writeFile } from 'node:fs/promises'
import { readState } from '../../lib/state-file.ts'

/**
 * Watches that all machines of the box together may have open. Their root is the box's own root to the kernel, whose default of 128 is
 * used up by some ten machines with systemd; path units then fail with "Too many open files". LXD's guide for servers sets a million.
 */
const inotifyInstances = 8192

/** Raises what of the kernel's limits would end machines' services on a box with many of them; never lowers one. */
export async function ensureKernelLimits(): Promise<void> {
  const file = '/proc/sys/fs/inotify/max_user_instances'
  const found = Number(await readState(file))
  if (found < inotifyInstances) await writeFile(file, `${inotifyInstances}\n`)
}
