import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './until.ts'

const execute = promisify(execFile)

/** A machine on this box, entered by its namespaces: so it can be looked at and hurt without SSH. */
export interface Guest {
  /** Runs a script as its root; gives what it printed. Throws with its words when it fails. */
  run(script: string): Promise<string>
  /** Runs a program of the box in its network: what it sets there goes with the machine. */
  inNetwork(command: string, ...args: string[]): Promise<string>
  /** Its first process, as the box counts. */
  init(): number
  /** Kills it as a crash of the machine does; its supervisor boots it again. */
  crash(): Promise<void>
  /** Cuts its power: it stays off. */
  powerOff(): Promise<void>
}

/** The machine of a folder `<home>/local/machines/<id>`. */
export function guestOf(folder: string): Guest {
  const init = () => {
    const boss = Number(readFileSync(join(folder, 'guest.pid'), 'utf8').split(' ')[0])
    const children = readFileSync(`/proc/${boss}/task/${boss}/children`, 'utf8').trim().split(' ').map(Number)
    const first = children.find((pid) => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))
    if (first === undefined) throw new Error(`${folder}: its guest has no first process`)
    return first
  }
  const enter = (script: string) => ['-t', String(init()), '-m', '-u', '-i', '-n', '-p', '--', 'sh', '-c', script]
  return {
    init,
    async run(script) {
      return (await execute('nsenter', enter(script), { maxBuffer: 64 << 20 })).stdout.trim()
    },
    async inNetwork(command, ...args) {
      return (await execute('nsenter', ['-t', String(init()), '-n', '--', command, ...args])).stdout.trim()
    },
    async crash() {
      const before = init()
      process.kill(before, 'SIGKILL')
      await until(() => {
        try {
          return init() !== before
        } catch {
          return false
        }
      })
    },
    async powerOff() {
      // The way of a power cut: nothing is shut down, nobody is told.
      await execute('nsenter', enter('sync; systemctl poweroff --force --force')).catch(() => undefined)
      await until(() => {
        try {
          init()
          return false
        } catch {
          return true
        }
      })
    },
  }
}

/** The machine at an address, of those whose home is `home`. */
export async function guestAt(home: string, address: string): Promise<Guest> {
  const folder = join(home, 'local/machines')
  for (const id of await readdir(folder)) {
    const record = JSON.parse(await readFile(join(folder, id, 'machine.json'), 'utf8')) as { address: string }
    if (record.address === address) return guestOf(join(folder, id))
  }
  throw new Error(`there is no machine at ${address}`)
}
