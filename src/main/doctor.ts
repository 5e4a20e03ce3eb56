import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Finding } from '../model/finding.ts'
import { providers } from '../providers/index.ts'
import type { Config } from './config.ts'
import { claimablePort } from './embedded/free-port.ts'
import { findPostgresBinaries } from './embedded/postgres-binaries.ts'
import { findTemporal } from './embedded/temporal-binary.ts'
import { canHaveLocalMachines } from './setup.ts'

/** Bytes that the images, the Temporal server and the databases of a first start take, with room to work. */
const spaceNeeded = 6 * 1024 ** 3

/** What this box has and lacks for an all-in-one control plane with local machines. Changes nothing. */
export async function examine(config: Config): Promise<Finding[]> {
  return [
    node(),
    platform(),
    ...(await Promise.all([
      space('space for state', config.home),
      space('space for the cache', config.cache),
      postgres(config),
      temporal(config),
      port(config),
    ])),
    ...(await localMachines(config)),
  ]
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return { name: 'Node', ok, detail: `${process.versions.node}${ok ? '' : ': install 20.19 or newer'}` }
}

function platform(): Finding {
  const ok = process.platform === 'linux'
  return { name: 'Linux', ok, detail: ok ? process.arch : `this is ${process.platform}: local machines need Linux` }
}

async function space(name: string, folder: string): Promise<Finding> {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = await statfs(existing)
  const free = bavail * bsize
  const detail = `${folder}: ${(free / 1024 ** 3).toFixed(1)} GiB free`
  return { name, ok: free >= spaceNeeded, detail: free >= spaceNeeded ? detail : `${detail}, 6 GiB are needed` }
}

async function postgres({ databaseUrl }: Config): Promise<Finding> {
  const name = 'PostgreSQL'
  if (databaseUrl) return { name, ok: true, detail: 'the one of DATABASE_URL' }
  return attempt(name, async () => `embedded: ${findPostgresBinaries().postgres}`)
}

async function temporal({ cache, temporal: target }: Config): Promise<Finding> {
  const name = 'Temporal'
  if (target) return { name, ok: true, detail: `the one at ${target.address}` }
  return attempt(name, async () => {
    const found = await findTemporal(cache)
    if (!found) throw new Error('not here yet: kitbag doctor --fix gets it')
    return found
  })
}

async function port({ home, listen }: Config): Promise<Finding> {
  const name = 'port'
  if (existsSync(`${home}/control-plane.json`)) return { name, ok: true, detail: 'a control plane runs on this home' }
  const free = (await claimablePort(listen.port)) !== undefined
  return { name, ok: free, detail: `${listen.port} is ${free ? 'free' : 'taken: set KITBAG_LISTEN to another'}` }
}

async function localMachines({ home, cache }: Config): Promise<Finding[]> {
  const name = 'local machines'
  if (!canHaveLocalMachines()) return [{ name, ok: false, detail: 'they need root on Linux' }]
  const environment = { installation: 'doctor', home, cache, log: () => {} }
  try {
    const driver = await providers.local()
    const cloud = { name: 'doctor', settings: driver.settings.parse({}), credentials: driver.credentials.parse({}) }
    return (await (await driver.connect(cloud, environment)).test()).map((finding) => ({
      ...finding,
      name: `${name}: ${finding.name}`,
    }))
  } catch (error) {
    return [{ name, ok: false, detail: error instanceof Error ? error.message : String(error) }]
  }
}

async function attempt(name: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { name, ok: true, detail: await look() }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}
