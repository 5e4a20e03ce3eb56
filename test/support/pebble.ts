import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { claimablePort, listening } from '../../src/main/embedded/free-port.ts'
import { findGo } from '../../src/main/embedded/go.ts'
import { ask } from '../../src/toolkit/certificates/acme/http.ts'
import { issueLeaf, makeAuthority } from '../../src/toolkit/certificates/x509.ts'
import { fromPackage, keptProgram } from './debian-package.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const day = 86_400_000
/** Of Debian's package; also for the build with Go. */
const version = '2.4.0'

export interface PebbleOptions {
  /** Key id -> key in base64url: accounts need one of them. */
  eab?: Record<string, string>
  /** Seconds that a look at a challenge takes at most; default: none. */
  slow?: number
}

export interface Pebble {
  directory: string
  /** PEM, for https to it. */
  trust: string
  /** Ends it, and forgets all that it knew. */
  stop(): Promise<void>
  /**
   * Starts it, always on the same address.
   * @param dns `10.0.0.1:53`: where it looks names up. Absent: it looks at nothing, and takes every challenge as answered.
   */
  start(dns?: string): Promise<void>
  /** PEM of the authority that its certificates come from; another one after each start. */
  root(): Promise<string>
  /** What it wrote. */
  log(): string
  close(): Promise<void>
}

/** A port that nobody gets who asks for any: those begin at 32,768 (net.ipv4.ip_local_port_range), and it is listened on much later. */
async function keptPort(but: number[] = []): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!but.includes(port) && (await claimablePort(port)) !== undefined) return port
  }
}

/** Pebble, a real ACME server, which refuses 30 % of the nonces; not started yet. */
export async function preparePebble({ eab, slow }: PebbleOptions = {}): Promise<Pebble> {
  const program = await ensurePebble()
  const folder = await mkdtemp(join(tmpdir(), 'kitbag-pebble-'))
  const port = await keptPort()
  const management = await keptPort([port])
  const now = new Date()
  const authority = makeAuthority('Pebble', day, now)
  const end = new Date(now.getTime() + day)
  const own = issueLeaf({ ...authority, name: 'Pebble', until: end }, { hosts: ['127.0.0.1'], lifetime: day, now })
  await writeFile(join(folder, 'cert.pem'), own.certificate)
  await writeFile(join(folder, 'key.pem'), own.key)
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: join(folder, 'cert.pem'),
    privateKey: join(folder, 'key.pem'),
    httpPort: 80,
    tlsPort: 443,
    externalAccountBindingRequired: eab !== undefined,
    ...(eab && { externalAccountMACKeys: eab }),
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify({ pebble }))
  let child: ChildProcess | undefined
  let log = ''

  const running: Pebble = {
    directory: `https://127.0.0.1:${port}/dir`,
    trust: authority.certificate,
    log: () => log,
    async root() {
      const { text } = await ask({ trust: authority.certificate }, 'GET', `https://127.0.0.1:${management}/roots/0`)
      return text
    },
    async start(dns) {
      const args = ['-config', join(folder, 'config.json'), ...(dns === undefined ? [] : ['-dnsserver', dns])]
      const always = dns === undefined ? { PEBBLE_VA_ALWAYS_VALID: '1' } : {}
      const pace = slow === undefined ? { PEBBLE_VA_NOSLEEP: '1' } : { PEBBLE_VA_SLEEPTIME: String(slow) }
      const env = { PEBBLE_WFE_NONCEREJECT: '30', PEBBLE_AUTHZREUSE: '0', ...pace, ...always }
      const started = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (log += chunk))
      child = started
      await until(() => {
        if (started.exitCode !== null) throw new Error(`pebble ended: ${log}`)
        return listening(`127.0.0.1:${port}`).then(
          () => true,
          () => false,
        )
      })
    },
    async stop() {
      const ending = child
      child = undefined
      if (!ending || ending.exitCode !== null) return
      const ended = once(ending, 'close')
      ending.kill()
      await ended
    },
    async close() {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return running
}

export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  const pebble = await preparePebble(options)
  try {
    await pebble.start()
    return pebble
  } catch (error) {
    await pebble.close()
    throw error
  }
}

/** The program out of Debian's package, else built with Go. */
function ensurePebble(): Promise<string> {
  return keptProgram('pebble', (folder) =>
    fromPackage(folder, 'pebble', 'usr/bin/pebble').catch(async (first: Error) => {
      const second = (error: Error) => {
        throw new Error(`pebble cannot be had: apt: ${first.message}; go: ${error.message}`)
      }
      return built(folder).catch(second)
    }),
  )
}

async function built(folder: string): Promise<string> {
  const go = await findGo()
  if (go === undefined) throw new Error('there is no Go')
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' }
  await run(go, ['install', `github.com/letsencrypt/pebble/v2/cmd/pebble@v${version}`], { env })
  return join(folder, 'pebble')
}
