import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '../../../src/model/ids.ts'
import type { Provider, ProviderEnvironment } from '../../../src/providers/contract.ts'
import { driver } from '../../../src/providers/local/driver.ts'

/** Why machines cannot run here; undefined where they can. */
export const noMachines = process.platform !== 'linux' ? 'not Linux' : process.getuid?.() !== 0 ? 'not root' : undefined

export const images = ['debian-12', 'debian-13']

/** Shared with the user's own installations: an image takes a minute to build. */
const cache = '/var/cache/kitbag'

export interface LocalBox {
  environment: ProviderEnvironment
  provider: Provider
  installation: string
  /** Lines logged as warnings and errors. */
  complaints: string[]
  close(): Promise<void>
}

/** An installation of its own, in a throw-away home. */
export async function localBox(cloud = 'home'): Promise<LocalBox> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-local-'))
  const installation = newId('ins')
  const complaints: string[] = []
  const environment: ProviderEnvironment = {
    installation,
    home,
    cache,
    log: (level, message, data) => {
      if (level === 'warn' || level === 'error') complaints.push(`${message} ${JSON.stringify(data)}`)
    },
  }
  await driver.prepare?.(environment, { images, onProgress: () => {} })
  const provider = await driver.connect({ name: cloud, settings: {}, credentials: {} }, environment)
  const close = () => rm(home, { recursive: true, force: true })
  return { environment, provider, installation, complaints, close }
}
