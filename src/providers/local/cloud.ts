import type { ProviderEnvironment } from '../contract.ts'
import { type Confinement, detectConfinement } from './confinement.ts'
import { type LocalPaths, localPaths } from './paths.ts'

/** One connected `local` cloud: whose machines, and where they are kept. */
export interface LocalCloud {
  name: string
  installation: string
  /** Folder of images, shared by installations. */
  cache: string
  paths: LocalPaths
  confinement: Confinement
  log: ProviderEnvironment['log']
}

export async function localCloud(name: string, environment: ProviderEnvironment): Promise<LocalCloud> {
  const { installation, cache, home, log } = environment
  return { name, installation, cache, log, paths: localPaths(home), confinement: await detectConfinement() }
}
