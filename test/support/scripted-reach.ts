import { surveyScript } from '../../src/lib/survey/script.ts'
import { KitbagError } from '../../src/model/errors.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { HostProgram } from '../../src/model/program.ts'
import type { ExecResult, Reach } from '../../src/model/reach.ts'
import { httpStream } from '../../src/shell/fake/streams.ts'

export interface ScriptedReach extends Reach {
  /** `web-1: package:nodejs, directory:/opt/web`: programs in order. */
  programs: string[]
  /** Runs before each program; throw to fail it, or return a resource that fails. */
  hook?: ((machine: MachineAccess, program: HostProgram) => void | string | Promise<void | string>) | undefined
  /** Status of HTTP answers; undefined: the port is closed. */
  http?: ((machine: MachineAccess) => number | undefined) | undefined
  /** What a failing resource prints. */
  failureOutput?: string | undefined
  /** Answers journalctl. */
  journal?: string
  /** What machines say of themselves when they are looked at; default: plain ones. */
  survey?: string | undefined
  /** How many programs were asked to stop. */
  stopsAsked: number
  /** Machine names that do not answer SSH. */
  silent: Set<string>
}

/** Machines whose programs report every resource as changed, and stop between two resources when asked to. */
export function scriptedReach(): ScriptedReach {
  const stopped = new Set<string>()
  const ok: ExecResult = { status: 0, stdout: '', stderr: '' }

  async function run(
    machine: MachineAccess,
    program: HostProgram,
    onLine: (line: string) => void,
  ): Promise<ExecResult> {
    reach.programs.push(`${machine.name}: ${program.resources.map(({ resource }) => resource).join(', ')}`)
    const failing = await reach.hook?.(machine, program)
    const say = (event: object) => onLine(`${program.nonce} ${JSON.stringify(event)}`)
    for (const { index, resource } of program.resources) {
      if (stopped.has(program.nonce)) {
        say({ end: true, stopped: true, changed: index })
        return ok
      }
      const failed = resource === failing
      say({
        index,
        resource,
        status: failed ? 'failed' : 'changed',
        changes: ['made'],
        ...(failed && { output: reach.failureOutput ?? 'E: broken' }),
      })
      if (failed) return { ...ok, status: 1 }
    }
    say({ end: true, changed: program.resources.length })
    return ok
  }

  const reach: ScriptedReach = {
    programs: [],
    stopsAsked: 0,
    silent: new Set(),
    async exec(machine, command, { program, stdin, onLine = () => {} } = {}) {
      if (reach.silent.has(machine.name)) throw unreachable(machine)
      if (program) return run(machine, program, onLine)
      if (stdin === surveyScript) return { ...ok, stdout: reach.survey ?? plainMachine() }
      const text = typeof command === 'string' ? command : command.text
      const stop = /stop\.([0-9a-f]+)/.exec(text)?.[1]
      if (stop && text.includes('mkdir')) {
        stopped.add(stop)
        reach.stopsAsked++
      }
      if (text.startsWith('journalctl')) return { ...ok, stdout: reach.journal ?? '' }
      if (text.startsWith('for path in')) return { ...ok, stdout: 'present\n' }
      return ok
    },
    async connectTcp(machine) {
      const status = reach.silent.has(machine.name) ? undefined : reach.http?.(machine)
      if (status === undefined) throw unreachable(machine)
      return httpStream(() => status)
    },
    async connectUnix(machine) {
      throw unreachable(machine)
    },
    async waitForSsh(machine, { timeout }) {
      if (!reach.silent.has(machine.name)) return
      await new Promise((resolve) => setTimeout(resolve, timeout))
      throw unreachable(machine)
    },
    forget() {},
    async close() {},
  }
  return reach
}

function unreachable(machine: MachineAccess): KitbagError {
  return new KitbagError(
    'machine-unreachable',
    `${machine.name} does not answer at ${machine.address}:${machine.port}`,
    {
      machine: machine.name,
      retryable: true,
    },
  )
}

/** A machine as a cloud would hand it out. */
export function plainMachine(more: string[] = []): string {
  const lines = ['image debian-13', 'os Debian', 'systemd yes', 'apt yes', 'cpu 4', 'memory 8388608', 'free 10485760']
  return [...lines, 'disk 104857600', `clock ${Math.round(Date.now() / 1000)}`, ...more, 'end yes', ''].join('\n')
}
