import { createLog } from '../lib/log.ts'
import { providers } from '../providers/index.ts'
import { allOrFirstFailure } from './all-or-first-failure.ts'
import { ensureTemporal } from './embedded/temporal-binary.ts'
import { ensureHome } from './home.ts'
import { cacheFolder } from './paths.ts'

export interface SetUpOptions {
  home: string
  /** Default: the one that every installation on this box shares. */
  cache?: string
  /** Portable words of the images that local machines will boot. */
  images: string[]
  onProgress: (step: string, detail: string) => void
  /** `if-possible`: where this user cannot have local machines (not root, not Linux) the rest is set up and progress says so. */
  localMachines?: 'required' | 'if-possible'
}

/**
 * Gets, side by side, what takes long at the first start: the Temporal server, host packages and images for local machines. Cached,
 * so that a second time takes no time. Throws `prerequisite-missing` with one sentence that says what is missing and what to do.
 */
export async function setUp(options: SetUpOptions): Promise<void> {
  const { home, cache = cacheFolder(), onProgress } = options
  await ensureHome(home)
  const { signal, abort } = abortable()
  await allOrFirstFailure([
    // What is missing for machines is told at once, rather than when the server has been built.
    prepareLocalMachines({ ...options, cache }).catch((error) => abort(error)),
    ensureTemporal({ cache, signal, onProgress: (detail) => onProgress('Temporal', detail) }),
  ])
}

function abortable() {
  const controller = new AbortController()
  const abort = (reason: unknown): never => {
    controller.abort(reason)
    throw reason
  }
  return { signal: controller.signal, abort }
}

async function prepareLocalMachines(options: SetUpOptions & { cache: string }): Promise<void> {
  const { home, cache, images, onProgress, localMachines = 'required' } = options
  if (localMachines === 'if-possible' && !canHaveLocalMachines()) {
    onProgress('local machines', 'left out: they need root on Linux')
    return
  }
  const log = createLog({ level: 'warn' })
  const driver = await providers.local()
  await driver.prepare?.(
    { installation: 'setup', home, cache, log: (level, message, data) => log[level](message, data) },
    { images, onProgress },
  )
}

export function canHaveLocalMachines(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}
