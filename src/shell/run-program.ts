import { redact } from '../lib/secret.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { HostProgram, ProgramResult } from '../model/program.ts'
import type { ExecResult, Reach } from '../model/reach.ts'
import type { ResourceEvent } from '../model/recipe.ts'
import { type BlobSource, uploadArtifacts } from './artifacts.ts'
import { createReport, type ProgramReport } from './program-events.ts'
import { askToStop, withdrawStop } from './stop-program.ts'

export interface RunProgramOptions {
  blobs: BlobSource
  /** Called for each resource as soon as it is done. */
  onEvent?: (event: ResourceEvent) => void
  /** Called when another program holds the machine's lock, so that the wait can be told. */
  onLockWait?: () => void
  /** Aborted: the program is asked to stop between two resources, and its end is awaited for up to 10 s. */
  signal?: AbortSignal
  /** Values that must not stand in events and errors. */
  secrets?: string[]
}

/** Milliseconds that a program asked to stop has for the resource at hand. */
const stopTime = 10_000

/**
 * Runs a host program as root: one exec, the program on standard input, plus uploads where artifacts are missing. Throws
 * KitbagError: `resource-failed` with resource and output; `machine-unreachable` (retryable) when it was cut before its end;
 * `cancelled` when aborted.
 */
export async function runProgram(
  reach: Reach,
  machine: MachineAccess,
  program: HostProgram,
  options: RunProgramOptions,
): Promise<ProgramResult> {
  const { blobs, signal, secrets = [], onEvent, onLockWait } = options
  if (signal?.aborted) throw cancelled(machine)
  try {
    await uploadArtifacts(reach, machine, program.artifacts, { blobs, ...(signal && { signal }) })
  } catch (error) {
    throw signal?.aborted ? cancelled(machine, error) : error
  }
  const { nonce } = program
  const { report, onLine } = createReport({
    nonce,
    secrets,
    ...(onEvent && { onEvent }),
    ...(onLockWait && { onLockWait }),
  })
  const answer = await execStoppable(reach, machine, program, { onLine, report, ...(signal && { signal }) })
  return conclude(machine, program, report, answer, secrets)
}

interface StoppableOptions {
  onLine: (line: string) => void
  report: ProgramReport
  signal?: AbortSignal
}

async function execStoppable(
  reach: Reach,
  machine: MachineAccess,
  program: HostProgram,
  { onLine, report, signal }: StoppableOptions,
): Promise<ExecResult> {
  const patience = new AbortController()
  let begun = false
  let timer: NodeJS.Timeout | undefined
  let asked: Promise<void> | undefined
  const stop = () => {
    asked = askToStop(reach, machine, program)
    timer = setTimeout(() => patience.abort(new Error(`it did not stop within ${stopTime / 1_000} s`)), stopTime)
  }
  if (signal?.aborted) throw cancelled(machine)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const answer = await reach.exec(machine, 'sh', {
      root: true,
      stdin: program.text,
      program,
      onBegin: () => {
        begun = true
      },
      onLine,
      signal: patience.signal,
    })
    if (signal?.aborted) throw cancelled(machine)
    return answer
  } catch (error) {
    if (signal?.aborted) throw cancelled(machine, error)
    throw begun ? atResource(error, program, report) : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    await asked
    if (asked && report.end && !report.end.stopped) await withdrawStop(reach, machine, program)
  }
}

function conclude(
  machine: MachineAccess,
  program: HostProgram,
  { events, end }: ProgramReport,
  { status, stderr, stdout }: ExecResult,
  secrets: string[],
): ProgramResult {
  const failed = events.find((event) => event.status === 'failed')
  if (failed) {
    const { resource, output = '' } = failed
    throw new KitbagError('resource-failed', `${machine.name}: ${resource} failed${firstLine(output)}`, {
      machine: machine.name,
      resource,
      ...(output && { output }),
    })
  }
  if (end?.stopped) throw cancelled(machine)
  if (end) return { events, changed: end.changed }
  if (/^sudo: /m.test(stderr)) {
    throw new KitbagError('machine-unreachable', `${machine.name}: sudo refused ${machine.user}: ${stderr.trim()}`, {
      machine: machine.name,
      fix: `Let ${machine.user} use sudo without a password there.`,
    })
  }
  const next = nextResource(program, events)
  const how = status === null || status > 128 ? 'was killed' : `ended with status ${status}`
  throw new KitbagError(
    'machine-unreachable',
    `${machine.name}: the program ${how} before its end${next ? `, at ${next}` : ''}`,
    {
      machine: machine.name,
      retryable: true,
      ...(next && { resource: next }),
      output: redact(lastLines(stderr || stdout), secrets),
    },
  )
}

/** The resource that a program was at when the last was heard of it: it tells of all before it first. */
function nextResource({ resources }: HostProgram, events: ResourceEvent[]): string | undefined {
  return resources[(events.at(-1)?.index ?? -1) + 1]?.resource
}

/** A cut connection, with where the program was. */
function atResource(error: unknown, program: HostProgram, { events }: ProgramReport): unknown {
  const resource = nextResource(program, events)
  if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable' || resource === undefined) return error
  const { code, message, machine, retryable } = error
  const place = machine === undefined ? {} : { machine }
  return new KitbagError(code, `${message}, at ${resource}`, { ...place, resource, retryable, cause: error })
}

function cancelled(machine: MachineAccess, cause?: unknown): KitbagError {
  return new KitbagError('cancelled', `${machine.name}: stopped, because the operation was cancelled`, {
    machine: machine.name,
    cause,
  })
}

function firstLine(output: string): string {
  const line = output.trim().split('\n', 1)[0] ?? ''
  return line && `: ${line}`
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-20).join('\n')
}
