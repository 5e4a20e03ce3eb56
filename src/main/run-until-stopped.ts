import { reportError } from '../cli/output.ts'
import { createLog, type LogLevel } from '../lib/log.ts'
import { reportFailure } from './report-failure.ts'
import type { Running, RunOptions } from './running.ts'

const levels: LogLevel[] = ['debug', 'info', 'warn', 'error']

/**
 * Runs a part of the control plane as this process: says on standard output when it is ready, ends it cleanly at the first SIGTERM or
 * SIGINT, at once at the second. Status 1 and one sentence when it cannot start or go on.
 */
export async function runUntilStopped(
  start: (options: RunOptions) => Promise<Running>,
  { name, json }: { name: string; json: boolean },
): Promise<void> {
  const level = levels.find((known) => known === process.env.KITBAG_LOG_LEVEL) ?? 'info'
  const log = createLog({ level })
  const onProgress = (step: string, detail: string) => process.stderr.write(`${step}: ${detail}\n`)
  const stopped = signals()
  let running: Running | undefined
  try {
    running = await start({ log, onProgress, signal: stopped.signal })
    process.stdout.write(`${json ? JSON.stringify({ ready: name, url: running.url }) : readyLine(name, running.url)}\n`)
    await Promise.race([running.failed, aborted(stopped.signal)])
  } catch (error) {
    if (!stopped.signal.aborted) process.exitCode = json ? reportError(error, true) : reportFailure(error)
  }
  await running?.stop()
  // Whatever a library still holds open (a poll, a timer) must not keep the process.
  process.exit()
}

function readyLine(name: string, url: string | undefined): string {
  return url ? `kitbag is ready: ${url}` : `kitbag ${name} is ready`
}

function signals(): AbortController {
  const stopped = new AbortController()
  const onSignal = () => {
    if (stopped.signal.aborted) process.exit(1)
    stopped.abort(new Error('stopped by a signal'))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return stopped
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
