import { join } from 'node:path'
import { type Clouds, createClouds } from '../activities/clouds.ts'
import { costsOf } from '../activities/costs.ts'
import { createImports, type Imports } from '../activities/import/imports.ts'
import { createPreviews, type Previews } from '../activities/import/previews.ts'
import { createResolveSpecs } from '../activities/resolve-specs.ts'
import type { DatabaseAddress } from '../db/database.ts'
import { openStore } from '../db/open.ts'
import type { Store } from '../db/store.ts'
import { packFiles } from '../lib/archive/pack.ts'
import { sha256 } from '../lib/digest.ts'
import type { Log } from '../lib/log.ts'
import type { Reach } from '../model/reach.ts'
import { completeRelease, type OwnParts } from '../planner/complete-release.ts'
import type { CostOf } from '../planner/costs.ts'
import type { ResolveSpecs } from '../planner/plan-input.ts'
import type { ProviderDriver } from '../providers/contract.ts'
import type { Recipe } from '../recipes/recipe.ts'
import { shippedRecipes } from '../recipes/shipped.ts'
import { generateKeyPair } from '../shell/keys.ts'
import { createReach } from '../shell/reach.ts'
import type { ToolkitRegistry } from '../toolkit/contract.ts'
import { toolkit } from '../toolkit/registry.ts'
import { createRoutedReach } from './routed-reach.ts'

/** What API and worker are both made of; in the all-in-one process they share it. */
export interface Parts {
  store: Store
  tenantId: string
  reach: Reach
  clouds: Clouds
  resolveSpecs: ResolveSpecs
  imports: Imports
  previews: Previews
  costs: (cloudIds: string[]) => Promise<CostOf>
  recipes: Map<string, Recipe>
  toolkit: ToolkitRegistry
  log: Log
  close(): Promise<void>
}

export interface ComposeOptions {
  database: DatabaseAddress
  masterKey: Buffer
  home: string
  cache: string
  log: Log
  /** Stand-ins of tests. */
  overrides?: {
    reach?: Reach
    drivers?: Record<string, () => Promise<ProviderDriver>>
    recipes?: Map<string, Recipe>
    toolkit?: ToolkitRegistry
  }
}

export async function compose(options: ComposeOptions): Promise<Parts> {
  const { database, masterKey, home, cache, log, overrides = {} } = options
  const recipes = overrides.recipes ?? (await shippedRecipes())
  const kinds = overrides.toolkit ?? toolkit
  const own: OwnParts = { toolkit: kinds, recipes: new Map(await Promise.all([...recipes].map(archived))) }
  const store = await openStore({
    ...database,
    masterKey,
    generateKeyPair,
    completeRelease: (spec) => completeRelease(spec, own),
    log,
  })
  const installation = await store.installation.get()
  const { sshPrivateKey: privateKey, sshPublicKey: publicKey } = installation
  const real = createReach({ privateKey, log })
  const clouds = createClouds({
    store,
    environment: {
      installation: installation.id,
      home,
      cache,
      ssh: { publicKey, exec: real.exec, hostKeys: real.hostKeys },
      log: (level, message, data) => log[level](message, data),
    },
    ...(overrides.drivers && { drivers: overrides.drivers }),
  })
  const reach = overrides.reach ?? createRoutedReach(real, { store, clouds, folder: join(home, 'fake-machines') })
  return {
    store,
    tenantId: installation.tenantId,
    reach,
    clouds,
    resolveSpecs: createResolveSpecs({ clouds }),
    imports: createImports({ store, clouds, reach, ssh: { publicKey, hostKeys: real.hostKeys }, toolkit: kinds }),
    previews: createPreviews({ store, clouds, reach, toolkit: kinds, recipes, log }),
    costs: (cloudIds) => costsOf(store, cloudIds),
    recipes,
    toolkit: kinds,
    log,
    async close() {
      await Promise.all([reach.close(), real.close()])
      await store.close()
    },
  }
}

async function archived([name, { signature, files }]: [string, Recipe]) {
  return [name, { ...signature, archive: sha256(await packFiles(files)) }] as const
}
