import { writeFile } from 'node:fs/promises'
import { readState } from '../../lib/state-file.ts'

/**
 * inotify instances that all machines of the box together may have open: their root is the box's own root to the kernel, whose default is
 * 128. On a box full of machines a path unit was seen to fail with "Too many open files". The number is ours: 64 times the default.
 */
const inotifyInstances = 8192

/** Raises what of the kernel's limits would end machines' services on a box with many of them; never lowers one. */
export async function ensureKernelLimits(): Promise<void> {
  const file = '/proc/sys/fs/inotify/max_user_instances'
  const found = Number(await readState(file))
  if (found < inotifyInstances) await writeFile(file, `${inotifyInstances}\n`)
}
