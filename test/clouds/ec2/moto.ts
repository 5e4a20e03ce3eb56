import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, listening } from '../../../src/main/embedded/free-port.ts'
import { cacheFolder } from '../../../src/main/paths.ts'
import { withLock } from '../../../src/providers/local/lock.ts'
import { until } from '../../support/until.ts'
import { motoImages } from './images.ts'

const run = promisify(execFile)
const requirement = 'moto[ec2,server]==5.2.5'

export interface Moto {
  port: number
  /** What it wrote. */
  log(): string
  close(): Promise<void>
}

/** A control plane of EC2, empty but for the region's default network and the published images. */
export async function startMoto(): Promise<Moto> {
  const python = await ensureMoto()
  const folder = await mkdtemp(join(tmpdir(), 'kitbag-moto-'))
  const images = join(folder, 'images.json')
  await writeFile(images, JSON.stringify(motoImages()))
  const [port = 0] = await freePorts(1)
  const env = { PATH: process.env.PATH, MOTO_AMIS_PATH: images, MOTO_ENABLE_AMI_VALIDATION: 'true' }
  const args = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]
  // It ends with us, however we end.
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', python, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      log = (log + chunk).slice(-100_000)
    })
  const moto = {
    port,
    log: () => log,
    async close() {
      if (child.exitCode === null) {
        const ended = once(child, 'close')
        child.kill('SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`moto ended: ${log}`)
      return listening(`127.0.0.1:${port}`).then(
        () => true,
        () => false,
      )
    }, 60_000)
    return moto
  } catch (error) {
    await moto.close()
    throw error
  }
}

/** The Python that has it, in an environment of its own; kept in the cache. */
async function ensureMoto(): Promise<string> {
  const digest = createHash('sha256').update(requirement).digest('hex').slice(0, 12)
  const folder = join(cacheFolder(), 'python', `moto-${digest}`)
  const python = join(folder, 'bin/python')
  if (existsSync(folder)) return python
  await mkdir(join(cacheFolder(), 'python'), { recursive: true })
  await withLock(
    `${folder}.lock`,
    async () => {
      if (!existsSync(folder)) await install(folder)
    },
    600,
  )
  return python
}

async function install(folder: string): Promise<void> {
  const building = `${folder}.building`
  await rm(building, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', building])
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', requirement]
  await run(join(building, 'bin/python'), words, { timeout: 480_000 })
  await rename(building, folder)
}
