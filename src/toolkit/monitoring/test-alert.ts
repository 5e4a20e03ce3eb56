import { randomBytes } from 'node:crypto'
import { sleep } from '../../lib/clock.ts'
import { nearest } from '../../lib/nearest.ts'
import { sh } from '../../lib/sh.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import type { ReadContext } from '../contract.ts'
import { testLabel, testReceiverName } from './alertmanager.ts'
import { askAlertmanager } from './alertmanager-api.ts'
import { asked } from './nodes.ts'
import type { MonitoringSpec } from './schema.ts'

export interface TestedReceiver {
  receiver: string
  kind: string
  delivered: boolean
  /** What it said, as Alertmanager tells it. */
  answer: string
}

/** Milliseconds that a receiver has to answer. */
const answerTime = 20_000
const pollMs = 200

/**
 * Gives Alertmanager one alert per receiver, and reads in its log what became of each: nowhere else does it say so. Throws
 * `invalid-request` for a receiver that is not there, `conflict` when there is none.
 */
export async function testReceivers(context: ReadContext<MonitoringSpec>, only?: string): Promise<TestedReceiver[]> {
  const { notify } = context.spec
  const names = chosen(Object.keys(notify), only)
  const outcomes = await asked(context, (node) => outcomesOf(context.reach, node, names))
  return names.map((receiver) => {
    const [kind = ''] = Object.entries(notify[receiver] ?? {}).flatMap(([key, value]) => (value ? [key] : []))
    const outcome = outcomes.get(receiver) ?? {
      delivered: false,
      answer: `no answer within ${answerTime / 1000} s`,
    }
    return { receiver, kind, ...outcome }
  })
}

function chosen(known: string[], only: string | undefined): string[] {
  if (known.length === 0)
    throw new KitbagError('conflict', 'there is no receiver to test', {
      fix: 'Name one in the blueprint, under toolkit.monitoring.notify, and deploy.',
    })
  if (only === undefined) return known
  if (known.includes(only)) return [only]
  const near = nearest(only, known)
  throw new KitbagError('invalid-request', `there is no receiver ${only}`, {
    problems: [
      { path: 'receiver', message: 'unknown receiver', found: only, allowed: known, ...(near && { nearest: near }) },
    ],
  })
}

type Outcome = Pick<TestedReceiver, 'delivered' | 'answer'>

async function outcomesOf(reach: Reach, node: MachineAccess, names: string[]): Promise<Map<string, Outcome>> {
  const started = await journal(reach, node, sh`--lines=0 --show-cursor`.text)
  const cursor = /^-- cursor: (.+)$/m.exec(started)?.[1]
  if (cursor === undefined) throw new KitbagError('service-failed', `${node.name}: its journal cannot be read`)
  await askAlertmanager(reach, node, 'POST', '/alerts', names.map(testAlert))
  const outcomes = new Map<string, Outcome>()
  for (const deadline = Date.now() + answerTime; Date.now() < deadline; await sleep(pollMs)) {
    const lines = await journal(reach, node, sh`--after-cursor=${cursor}`.text)
    for (const name of names) {
      const outcome = outcomeIn(lines, testReceiverName(name))
      if (outcome) outcomes.set(name, outcome)
    }
    if (outcomes.size === names.length) break
  }
  return outcomes
}

function testAlert(receiver: string) {
  return {
    labels: { alertname: 'test', [testLabel]: receiver, test: randomBytes(6).toString('hex'), severity: 'info' },
    annotations: { summary: 'A test of this receiver: nothing is wrong' },
    // Then it is told as resolved, which closes what a receiver opened for it.
    endsAt: new Date(Date.now() + 60_000).toISOString(),
  }
}

async function journal(reach: Reach, node: MachineAccess, options: string): Promise<string> {
  const command = `journalctl --quiet --no-pager --output=cat --unit=prometheus-alertmanager ${options}`
  const { stdout } = await reach.exec(node, command, { root: true, timeout: 5000 })
  return stdout
}

/** The last word about a receiver; a failure counts at once, although Alertmanager tries again. */
export function outcomeIn(log: string, receiver: string): Outcome | undefined {
  for (const line of log.split('\n').reverse()) {
    const error = /\berr="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]
    // One that it does not try again is told in a line without the receiver, which the error begins with.
    const own = new RegExp(`\\breceiver="?${receiver}"? `).test(line) || error?.startsWith(`${receiver}/`)
    if (own && error !== undefined) return { delivered: false, answer: withoutUrls(error) }
    if (own && line.includes('msg="Notify success"')) return { delivered: true, answer: 'accepted' }
  }
  return undefined
}

/** A URL may be a secret. */
function withoutUrls(error: string): string {
  return error.replace(/\\"/g, '"').replace(/https?:\/\/[^\s"]+/g, '[url]')
}
