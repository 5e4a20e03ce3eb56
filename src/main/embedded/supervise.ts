import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { sleep } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { KitbagError } from '../../model/errors.ts'
import { endProcess } from './processes.ts'

export interface SupervisedOptions {
  /** For messages. */
  name: string
  start: () => Promise<ChildProcess>
  /** Returns when it answers. Called again after every restart. */
  ready: (signal: AbortSignal) => Promise<void>
  /** How it is asked to end, with milliseconds of patience each. */
  end: [NodeJS.Signals, number][]
  /** Last lines it wrote, for the message when it does not start. */
  lastWords: () => string
  log: Log
}

export interface Supervised {
  /** The child at present. */
  pid(): number | undefined
  /** Rejects when the child keeps ending by itself; then the process should end too. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** Restarts at most so many times in a minute. */
const restarts = 5

const running = new Map<ChildProcess, NodeJS.Signals>()

// However this process comes to its end (but by SIGKILL), its children are asked to end too.
process.on('exit', () => {
  for (const [child, signal] of running) child.kill(signal)
})

/** Starts a child and keeps it running until stopped: one that ends by itself (killed, crashed) is started again. */
export async function supervise(options: SupervisedOptions): Promise<Supervised> {
  const { name, log, end } = options
  let stopping = false
  let child = await startOnce(options)
  let starting = Promise.resolve(child)

  async function watch(): Promise<never> {
    const times: number[] = []
    for (;;) {
      await exitOf(child)
      if (stopping) return new Promise(() => {})
      log.warn(`${name} ended by itself, starting it again`, { status: child.exitCode, signal: child.signalCode })
      times.push(Date.now())
      if (times.length > restarts && Date.now() - (times.at(-restarts) ?? 0) < 60_000) {
        throw new KitbagError('internal', `${name} ends again and again: ${options.lastWords()}`)
      }
      starting = startOnce(options)
      try {
        child = await starting
      } catch (error) {
        if (stopping) return new Promise(() => {})
        throw error
      }
    }
  }
  const failed = watch()
  failed.catch(() => {})

  return {
    pid: () => child.pid,
    failed,
    async stop() {
      stopping = true
      // One that ended just now is being started again.
      const last = await starting.catch(() => undefined)
      if (!last || last.exitCode !== null || last.signalCode !== null) return
      if (last.pid !== undefined) await endProcess(last.pid, end)
      await exitOf(last)
    },
  }
}

async function startOnce({ name, start, ready, end, lastWords }: SupervisedOptions): Promise<ChildProcess> {
  const child = await start()
  running.set(child, end[0]?.[0] ?? 'SIGTERM')
  child.once('exit', () => running.delete(child))
  const cut = new AbortController()
  const ended = exitOf(child).then(() => {
    throw new KitbagError('internal', `${name} did not start: ${lastWords() || 'it said nothing'}`)
  })
  try {
    await Promise.race([ended, ready(cut.signal)])
  } catch (error) {
    if (child.pid !== undefined) await endProcess(child.pid, end)
    throw error
  } finally {
    cut.abort()
    ended.catch(() => {})
  }
  return child
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => {})
}

/** Calls until it succeeds; throws `sentence` after `timeout` milliseconds. */
export async function untilReady(
  probe: () => Promise<void>,
  { timeout, signal, sentence }: { timeout: number; signal: AbortSignal; sentence: string },
): Promise<void> {
  for (const until = Date.now() + timeout; ; ) {
    try {
      return await probe()
    } catch (cause) {
      if (Date.now() > until) throw new KitbagError('internal', sentence, { cause })
    }
    await sleep(25, signal)
  }
}
