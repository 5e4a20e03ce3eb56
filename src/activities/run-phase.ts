import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { CompileOptions, HostProgram, ProgramResult } from '../model/program.ts'
import type { Phase, ResourceEvent } from '../model/recipe.ts'
import { compile } from '../recipes/compile.ts'
import { runProgram } from '../shell/run-program.ts'
import { confirmFirewall, isOnTrial } from './confirm-firewall.ts'
import { machineAccess } from './machine-access.ts'
import type { PhaseInputs } from './phase-inputs.ts'
import type { UnitWork } from './unit-work.ts'

/** Compiles one phase of the machine's recipe from facts as they are now and runs it there; its resources become events. */
export async function runPhase(
  work: UnitWork,
  phase: Phase,
  { machine, recipe, context, extras, secrets }: PhaseInputs,
  options: Pick<CompileOptions, 'mode' | 'suppress'>,
): Promise<ProgramResult> {
  const { deps, events } = work
  events.hide(secrets)
  const phases = [recipe, ...extras.map((extra) => extra.recipe)].flatMap(({ signature }) => signature.phases)
  // A configure also takes away what earlier releases put there, whatever it does beside.
  if (phase !== 'configure' && !phases.includes(phase)) return { events: [], changed: 0 }
  const { givesBack: manifest = false } = await deps.clouds.capabilities(machine.cloudId)
  const program = compile(
    recipe,
    phase,
    context,
    { ...options, guest: machine.hostId !== undefined, secrets, manifest },
    extras,
  )
  return runCompiled(work, machine, program, { phase, secrets, mode: options.mode })
}

/** Runs a program and tells its resources; rules that SSH depends on are confirmed while it runs on. */
export async function runCompiled(
  work: UnitWork,
  machine: MachineRecord,
  program: HostProgram,
  { phase, secrets, mode }: { phase: Phase; secrets: string[]; mode: CompileOptions['mode'] },
): Promise<ProgramResult> {
  const { deps, deployment, events, signal } = work
  const confirming: Promise<void>[] = []
  const onEvent = (event: ResourceEvent) => {
    if (mode === 'apply' && event.status === 'changed' && isOnTrial(event.resource)) {
      const confirmed = confirmFirewall(work, machine)
      // Looked at when the program has ended.
      confirmed.catch(() => undefined)
      confirming.push(confirmed)
    }
    // What is as it should be is no news; a failure is told by the unit's error.
    if (event.status === 'ok') return
    events.add({ type: 'resource', data: { ...event, machine: machine.name, phase } })
  }
  const onLockWait = () => {
    const message = `${machine.name}: waiting for another program on it to end`
    events.add({ type: 'log', data: { level: 'info', machine: machine.name, message } })
  }
  const blobs = (digest: string) => deps.store.blobs.read(deployment.tenantId, digest)
  const running = runProgram(deps.reach, machineAccess(machine), program, {
    blobs,
    onEvent,
    onLockWait,
    signal,
    secrets,
  })
  // Rules that shut Kitbag out are the reason of whatever else went wrong; they may cut the connection before it tells that they are there.
  const failure: unknown = await running.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (mode === 'apply' && confirming.length === 0 && wasCutOnTrial(failure))
    confirming.push(confirmFirewall(work, machine))
  if (!signal.aborted) await Promise.all(confirming)
  return running
}

function wasCutOnTrial(failure: unknown): boolean {
  return failure instanceof KitbagError && failure.code === 'machine-unreachable' && isOnTrial(failure.resource ?? '')
}
