import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import { controlSchema, type FakeSettings, type Fault, type faultyCalls } from './settings.ts'

export type Call = (typeof faultyCalls)[number]

/** Runs the calls of one fake cloud with the latency and the faults that its settings, or `control.json`, ask for. */
export function faultyCaller(folder: string, settings: FakeSettings) {
  return async function call<T>(name: Call, machine: string, effect: (now: FakeSettings) => Promise<T>): Promise<T> {
    const now = await afterLatency(folder, settings)
    const fault = await findFault(folder, now.faults, name, machine)
    if (now.recordCalls) await record(folder, { call: name, machine, ...(fault && { fault: fault.effect }) })
    if (fault && fault.effect !== 'timeout-after' && fault.effect !== 'hang-after') throw failure(fault, name, machine)
    const result = await effect(now)
    if (fault?.effect === 'hang-after') await new Promise<never>(() => setInterval(() => {}, 60_000))
    if (fault) throw failure(fault, name, machine)
    return result
  }
}

/** The settings as they are when a call's latency is over; another one that is set meanwhile counts at once. */
async function afterLatency(folder: string, settings: FakeSettings): Promise<FakeSettings> {
  for (const began = Date.now(); ; ) {
    const now = { ...settings, ...(await readControl(folder)) }
    const rest = began + now.latency - Date.now()
    if (now.latency === 0 || rest <= 0) return now
    await sleep(Math.min(rest, 100))
  }
}

async function readControl(folder: string) {
  const text = await readState(join(folder, 'control.json'))
  if (text === undefined) return {}
  // Of `partial()`, but defaults would override the settings: only what is written there counts.
  const written = JSON.parse(text) as Record<string, unknown>
  const parsed = controlSchema.parse(written)
  return Object.fromEntries(Object.entries(parsed).filter(([key]) => key in written)) as Partial<FakeSettings>
}

async function findFault(folder: string, faults: Fault[], call: Call, machine: string): Promise<Fault | undefined> {
  for (const [i, fault] of faults.entries()) {
    if (fault.calls && !fault.calls.includes(call)) continue
    if (fault.machine !== undefined && !machine.includes(fault.machine)) continue
    if (fault.rate < 1 && Math.random() >= fault.rate) continue
    if (fault.times === undefined || (await claim(join(folder, 'claims'), `${i}-${fault.effect}`, fault.times)))
      return fault
  }
  return undefined
}

/** Takes one of `times` places, each a file that can be made once. */
async function claim(folder: string, name: string, times: number): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  for (let place = 1; place <= times; place++) {
    try {
      await writeFile(join(folder, `${name}-${place}`), '', { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return false
}

function failure({ effect }: Fault, call: Call, machine: string): KitbagError {
  const where = `fake: ${call} ${machine}`.trimEnd()
  if (effect === 'no-capacity') {
    return new KitbagError('capacity-exceeded', `${where}: no capacity of this size`, {
      fix: 'Choose another region or size.',
    })
  }
  const permanent = effect === 'refuse'
  const what = {
    'timeout-after': 'timed out',
    'fail-before': 'service unavailable',
    'hang-after': '',
    refuse: 'not authorized',
  }
  return new KitbagError('provider-failed', `${where}: ${what[effect]}`, { retryable: !permanent })
}

async function record(folder: string, line: Record<string, unknown>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await appendFile(join(folder, 'calls.jsonl'), `${JSON.stringify(line)}\n`)
}
