import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '../api/client.ts'
import { type ErrorRecord, errorCodes, KitbagError } from '../model/errors.ts'
import { describeError, print, printJson } from './output.ts'
import { liveProgress, plainProgress } from './progress.ts'

export interface OperationBody {
  id: string
  deployment: string
  kind: string
  status: string
  result: { drift?: { machine: string; resource: string; changes: string[]; diff?: string }[]; undone?: boolean } | null
  error: ErrorRecord | null
}

const isFinal = (status: string) => ['succeeded', 'failed', 'cancelled'].includes(status)

/** Shows an operation until it ends; a cut connection is taken up again where it was. Ctrl-C leaves it running and says so. */
async function follow(client: Client, id: string, quiet: boolean): Promise<OperationBody> {
  const detached = new AbortController()
  const detach = () => detached.abort()
  process.once('SIGINT', detach)
  const progress = quiet
    ? undefined
    : process.stderr.isTTY && !process.env.CI
      ? liveProgress(process.stderr)
      : plainProgress((text) => process.stderr.write(text))
  let lastId: string | undefined
  try {
    for (let failures = 0; ; ) {
      try {
        for await (const { id: seq, event, data } of client.events(`/v1/operations/${id}/events`, {
          signal: detached.signal,
          ...(lastId !== undefined && { lastId }),
        })) {
          if (seq !== undefined) lastId = seq
          failures = 0
          if (event !== 'end') progress?.event(event, (JSON.parse(data) as { data: Record<string, unknown> }).data)
        }
        const operation = await client.json<OperationBody>('GET', `/v1/operations/${id}`)
        if (isFinal(operation.status)) return operation
      } catch (error) {
        if (detached.signal.aborted) {
          throw new KitbagError('cancelled', `no longer watching ${id}; it goes on`, {
            fix: `Run the same command again to come back, or: kitbag cancel ${id}`,
          })
        }
        if (++failures > 30) throw error
        await wait(1000)
      }
    }
  } finally {
    process.removeListener('SIGINT', detach)
    progress?.end()
  }
}

export interface WaitOptions {
  json?: boolean
  wait?: boolean
}

/** What every command that changes something does after it submitted: watch, print, and give the exit code. */
export async function watch(client: Client, operation: OperationBody, options: WaitOptions): Promise<number> {
  if (options.wait === false) {
    if (options.json) printJson(operation)
    else print(`${operation.id} ${operation.status}`)
    return 0
  }
  const ended = await follow(client, operation.id, options.json === true)
  if (options.json) printJson(ended)
  else report(ended)
  if (ended.status === 'succeeded') return 0
  return ended.error ? Math.max(1, errorCodes[ended.error.code].exit) : 1
}

function report({ id, kind, deployment, status, error, result }: OperationBody): void {
  for (const { machine, resource, changes, diff } of result?.drift ?? []) {
    print(`${machine}  ${resource}: ${changes.join(', ')}`)
    if (diff) for (const line of diff.split('\n')) print(`    ${line}`)
  }
  if (status === 'succeeded') print(`${kind} of ${deployment}: done`)
  else {
    process.stderr.write(
      `kitbag: ${kind} of ${deployment} ${status} (${id})${error ? `: ${describeError(error)}` : ''}\n`,
    )
    if (result?.undone) process.stderr.write('  What it had done was undone.\n')
  }
}
