import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectionOptions } from '../../../src/db/database.ts'
import { createLog } from '../../../src/lib/log.ts'
import { freePorts } from '../../../src/main/embedded/free-port.ts'
import { startPostgres } from '../../../src/main/embedded/postgres.ts'
import { findPostgresBinaries } from '../../../src/main/embedded/postgres-binaries.ts'
import { findProcesses, findProcessesIn, isAlive } from '../../../src/main/embedded/processes.ts'
import { startTemporal } from '../../../src/main/embedded/temporal.ts'
import { ensureTemporal } from '../../../src/main/embedded/temporal-binary.ts'
import { cacheFolder } from '../../../src/main/paths.ts'
import { temporaryHome } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const log = createLog({ level: 'error', write: () => {} })
let home: string
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

async function query(socket: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(connectionOptions({ socket }))
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** Starts a program as a killed control plane leaves it: in a session of its own, nobody watching. */
function orphan([program = '', ...args]: string[]): number {
  const child = spawn(program, args, { detached: true, stdio: 'ignore' })
  child.unref()
  return child.pid ?? 0
}

/** Addresses that a process listens on, as ss prints them. */
function listening(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return []
    }
  })
  const tables = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1),
  )
  const open = tables
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.includes(fields[9] ?? ''))
  return open.map((fields) => fields[1]?.split(':')[0] ?? '')
}

describe('embedded PostgreSQL', () => {
  test('keeps its data, listens on no network, leaves no process', async () => {
    const first = await startPostgres({ home, log })
    await query(first.socket, 'create table kept (n int); insert into kept values (7)')
    expect(listening(first.pid() ?? 0)).toEqual([])
    await first.stop()
    const again = await startPostgres({ home, log })
    expect(await query(again.socket, 'select n from kept')).toEqual([{ n: 7 }])
    await again.stop()
    expect(findProcessesIn(realpathSync(join(home, 'postgres')))).toEqual([])
    expect(existsSync(join(home, 'postgres/postmaster.pid'))).toBe(false)
  })

  test('a home whose path is too long for a socket gets a short folder for it', async () => {
    const long = join(home, 'x'.repeat(100))
    mkdirSync(long)
    const postgres = await startPostgres({ home: long, log })
    try {
      expect(Buffer.byteLength(join(postgres.socket, '.s.PGSQL.5432'))).toBeLessThanOrEqual(107)
      expect(await query(postgres.socket, 'select 1 as one')).toEqual([{ one: 1 }])
    } finally {
      await postgres.stop()
      rmSync(postgres.socket, { recursive: true, force: true })
    }
  })

  test('a first start that was cut is done anew', async () => {
    mkdirSync(join(home, 'postgres.new-abcdef'))
    writeFileSync(join(home, 'postgres.new-abcdef/PG_VERSION'), '18')
    const postgres = await startPostgres({ home, log })
    await postgres.stop()
    expect(readdirSync(home).filter((name) => name.startsWith('postgres.new'))).toEqual([])
  })

  test('one that was left behind is ended first', async () => {
    await (await startPostgres({ home, log })).stop()
    const { postgres } = findPostgresBinaries()
    const data = join(home, 'postgres')
    const command = [postgres, '-D', data, '-k', join(home, 'run'), '-c', 'listen_addresses=']
    const left = orphan(
      process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...command] : command,
    )
    await until(() => existsSync(join(home, 'run/.s.PGSQL.5432')))
    const next = await startPostgres({ home, log })
    expect(isAlive(left)).toBe(false)
    expect(await query(next.socket, 'select 1 as one')).toEqual([{ one: 1 }])
    await next.stop()
  })

  test('a number in its lock files that is somebody else by now is no hindrance', async () => {
    await (await startPostgres({ home, log })).stop()
    for (const file of ['postgres/postmaster.pid', 'run/.s.PGSQL.5432.lock']) {
      writeFileSync(join(home, file), `1\n${join(home, 'postgres')}\n`)
    }
    const third = await startPostgres({ home, log })
    expect(await query(third.socket, 'select 1 as one')).toEqual([{ one: 1 }])
    await third.stop()
  })

  test('what does not let it start is said in one sentence', async () => {
    await (await startPostgres({ home, log })).stop()
    writeFileSync(join(home, 'postgres/PG_VERSION'), '9.4\n')
    await expect(startPostgres({ home, log })).rejects.toThrow(
      /^PostgreSQL did not start: [^|]*FATAL: {2}database files are incompatible with server$/,
    )
    expect(findProcesses('postgres', '-D', join(home, 'postgres'))).toEqual([])
  })
})

describe('embedded Temporal', () => {
  test('listens on loopback only, keeps its port, comes back when killed, leaves no process', async () => {
    const binary = await ensureTemporal({ cache: cacheFolder(), onProgress: () => {} })
    const first = await startTemporal({ home, binary, log })
    const pid = first.pid() ?? 0
    const addresses = listening(pid)
    expect(addresses.length).toBeGreaterThan(0)
    expect(new Set(addresses)).toEqual(new Set(['0100007F']))
    process.kill(pid, 'SIGKILL')
    await until(() => first.pid() !== pid)
    await first.stop()
    const again = await startTemporal({ home, binary, log })
    expect(again.address).toBe(first.address)
    await again.stop()
    expect(findProcesses('temporal', '--db-filename', join(home, 'temporal/temporal.db'))).toEqual([])
  })

  test('one that was left behind is ended first', async () => {
    const binary = await ensureTemporal({ cache: cacheFolder(), onProgress: () => {} })
    const database = join(home, 'temporal/temporal.db')
    mkdirSync(join(home, 'temporal'))
    const [port = 0] = await freePorts(1)
    const left = orphan([
      binary,
      'server',
      'start-dev',
      '--headless',
      '--port',
      String(port),
      '--db-filename',
      database,
    ])
    await until(() => existsSync(database))
    const next = await startTemporal({ home, binary, log })
    expect(isAlive(left)).toBe(false)
    await next.stop()
  })

  test('its process list shows no secret', async () => {
    const binary = await ensureTemporal({ cache: cacheFolder(), onProgress: () => {} })
    const temporal = await startTemporal({ home, binary, log })
    const shown = execFileSync('ps', ['-p', String(temporal.pid()), '-o', 'args=']).toString()
    await temporal.stop()
    expect(shown).not.toMatch(/key|token|secret|password/i)
  })
})
