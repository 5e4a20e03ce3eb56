import type { Duplex } from 'node:stream'
import { sleep } from '../lib/clock.ts'
import { surveyScript } from '../lib/survey/script.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { ExecOptions, ExecResult, Reach } from '../model/reach.ts'
import { ConnectFailure, unreachable, where } from './connect-failure.ts'
import { type FakeFault, strike } from './fake/faults.ts'
import { answerHaproxy, haproxySocket } from './fake/haproxy.ts'
import { runFakeProgram } from './fake/program.ts'
import { createStates } from './fake/state.ts'
import { httpStream, lineStream } from './fake/streams.ts'

export interface FakeExec {
  machine: string
  command: string
  root: boolean
  /** Resources of the host program, where it was one. */
  resources?: string[]
}

export interface FakeReachOptions {
  /** Folder (which must exist) for what machines remember, shared by processes; default: in memory. */
  folder?: string
  /** Milliseconds that each call takes; default 0. */
  latency?: number
  /** Milliseconds that each resource of a program takes; default 0. */
  resourceLatency?: number
  faults?: FakeFault[]
  /** Answers commands that are no host program; default: status 0, no output. */
  exec?: (machine: MachineAccess, command: string, options: ExecOptions) => Partial<ExecResult> | undefined
  /** Status of HTTP answers; default 200. */
  http?: (machine: MachineAccess, request: { host: string; port: number; path: string }) => number
  /** Opens unix sockets; undefined: HAProxy's answers by itself, others are not there. */
  unix?: (machine: MachineAccess, path: string) => Duplex | undefined
}

export interface FakeReach extends Reach {
  /** The last 1000 commands, oldest first. */
  execs: FakeExec[]
  /** May be changed at any time. */
  faults: FakeFault[]
}

/** What a plain machine says of itself. */
function plainMachine(): string {
  const lines = ['image debian-13', 'os Debian GNU/Linux 13', 'systemd yes', 'apt yes', 'cpu 8', 'memory 16777216']
  return [...lines, 'free 10485760', 'disk 104857600', `clock ${Math.round(Date.now() / 1000)}`, 'end yes', ''].join(
    '\n',
  )
}

const mostExecs = 1000

/** A Reach to machines that do not exist: no network, no process. For the fake provider's machines. */
export function createFakeReach(options: FakeReachOptions = {}): FakeReach {
  const { latency = 0, resourceLatency = 0, faults = [], folder } = options
  const states = createStates(folder)
  const stops = new Set<string>()
  const execs: FakeExec[] = []

  async function arrive(machine: MachineAccess, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (latency > 0) await sleep(latency, signal)
    if (strike(fake.faults, 'unreachable', machine)) {
      throw unreachable(machine, new ConnectFailure('unreachable', 'the fake was told to'))
    }
  }

  const fake: FakeReach = {
    execs,
    faults,

    async exec(machine, line, execOptions = {}) {
      const command = typeof line === 'string' ? line : line.text
      const { program, onLine, onBegin, signal, root = false } = execOptions
      await arrive(machine, signal)
      onBegin?.()
      const resources = program?.resources.map(({ resource }) => resource)
      execs.push({ machine: machine.name, command, root, ...(resources && { resources }) })
      if (execs.length > mostExecs) execs.shift()
      const asked = /\/run\/kitbag\/stop\.([0-9a-zA-Z]+)/.exec(command)?.[1]
      if (asked) stops[command.startsWith('rm ') ? 'delete' : 'add'](asked)
      if (!program) {
        const answer: ExecResult = {
          status: 0,
          stdout: '',
          stderr: '',
          ...(execOptions.stdin === surveyScript && { stdout: plainMachine() }),
          ...options.exec?.(machine, command, execOptions),
        }
        for (const text of answer.stdout.split('\n').slice(0, -1)) onLine?.(text)
        return answer
      }
      await runFakeProgram(machine, program, {
        states,
        faults: fake.faults,
        resourceLatency,
        stopAsked: (nonce) => stops.has(nonce),
        onLine: onLine ?? (() => {}),
        ...(signal && { signal }),
      })
      stops.delete(program.nonce)
      return { status: 0, stdout: '', stderr: '' }
    },

    async connectTcp(machine, host, port) {
      await arrive(machine)
      return httpStream((path) => {
        if (strike(fake.faults, 'unhealthy', machine)) return 503
        return options.http?.(machine, { host, port, path }) ?? 200
      })
    },

    async connectUnix(machine, path) {
      await arrive(machine)
      const own = options.unix?.(machine, path)
      if (own) return own
      const known = (await states.get(machine.id)).haproxy !== undefined
      if (path === haproxySocket && known) {
        return lineStream((line) => states.update(machine.id, (state) => answerHaproxy(state, line)))
      }
      throw new KitbagError('service-failed', `${where(machine)}: nothing answers at ${path} there: open failed`, {
        machine: machine.name,
        retryable: true,
      })
    },

    async waitForSsh(machine, { signal }) {
      await arrive(machine, signal)
    },
    forget(machineId) {
      void states.remove(machineId)
    },
    async close() {},
  }
  return fake
}
