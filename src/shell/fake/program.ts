import { sleep } from '../../lib/clock.ts'
import { sha256 } from '../../lib/digest.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { HostProgram } from '../../model/program.ts'
import type { ResourceEvent } from '../../model/recipe.ts'
import { cut } from '../connect-failure.ts'
import { type FakeFault, strike } from './faults.ts'
import { haproxyIn } from './haproxy.ts'
import type { FakeStates } from './state.ts'

export interface FakeProgramContext {
  states: FakeStates
  faults: FakeFault[]
  /** Milliseconds per resource. */
  resourceLatency: number
  stopAsked(nonce: string): boolean
  onLine(line: string): void
  signal?: AbortSignal
}

/**
 * Pretends to run a host program: every resource is `changed` where the machine has not yet seen this very program, else `ok`; a check
 * finds what it has never seen, and what the faults say.
 */
export async function runFakeProgram(machine: MachineAccess, program: HostProgram, context: FakeProgramContext) {
  const { states, faults, resourceLatency, stopAsked, onLine, signal } = context
  const say = (what: object) => onLine(`${program.nonce} ${JSON.stringify(what)}`)
  const check = isCheck(program)
  // Of what it is about, and of what it does: the nonce is another each time.
  const checked = program.resources.filter(({ unchecked }) => !unchecked)
  const names = sha256(checked.map(({ resource }) => resource).join('\n'))
  const digest = sha256(program.text.replaceAll(program.nonce, ''))
  const applied = (await states.get(machine.id)).applied[names]
  const fresh = check ? applied === undefined : applied !== digest
  let changed = 0
  for (const resource of program.resources) {
    if (resourceLatency > 0) await sleep(resourceLatency, signal)
    if (stopAsked(program.nonce)) return say({ end: true, stopped: true, changed })
    if (strike(faults, 'cut', machine, resource)) throw cut(machine, 'the fake was told to')
    const failure = strike(faults, 'fail', machine, resource)
    if (failure) {
      say(event(resource, 'failed', [], failure.output ?? 'the fake was told to'))
      return say({ end: true, changed })
    }
    const differs = fresh || (check && strike(faults, 'drift', machine, resource) !== undefined)
    if (differs) changed++
    say(event(resource, differs ? 'changed' : 'ok', differs ? ['fake'] : []))
  }
  if (!check) {
    await states.update(machine.id, (state) => {
      state.applied[names] = digest
      const haproxy = haproxyIn(program.text, state.haproxy)
      if (haproxy) state.haproxy = haproxy
    })
  }
  say({ end: true, changed })
}

function event(
  { index, resource }: { index: number; resource: string },
  status: ResourceEvent['status'],
  changes: string[],
  output?: string,
): ResourceEvent {
  return { index, resource, status, changes, ...(output !== undefined && { output }) }
}

/** Programs state their mode in a line of their own, as recipes/ writes them. */
function isCheck({ text }: HostProgram): boolean {
  return /^.*\bMODE='?check'?$/m.test(text)
}
