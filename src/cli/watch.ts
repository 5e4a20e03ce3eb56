import { randomUUID } from 'node:crypto'
import type { Client } from '../api/client.ts'
import { errorCodes } from '../model/errors.ts'
import { connect, deploymentPath } from './connect.ts'
import { follow } from './follow.ts'
import type { OperationBody } from './operation.ts'
import { describeError, print, printJson } from './output.ts'

export interface WaitOptions {
  json?: boolean
  wait?: boolean
}

/** Submits an operation, or comes back to the open one that asks for the very same, and watches it. Returns the exit code. */
export async function submit(name: string, body: Record<string, unknown>, options: WaitOptions): Promise<number> {
  const client = connect()
  const operation = await client.json<OperationBody>(
    'POST',
    deploymentPath(name, '/operations'),
    { attach: true, ...body },
    { 'idempotency-key': randomUUID() },
  )
  return watch(client, operation, options)
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
  return exitCodeOf(ended)
}

function exitCodeOf({ status, error }: OperationBody): number {
  if (status === 'succeeded') return 0
  return error ? Math.max(1, errorCodes[error.code].exit) : 1
}

/** The end of an operation in words: what differs, that it is done, or why not. */
export function report({ id, kind, deployment, status, error, result }: OperationBody): void {
  const drift = result?.drift ?? []
  for (const { machine, resource, changes, diff } of drift) {
    print(`${machine}  ${resource}: ${changes.join(', ')}`)
    if (diff) for (const line of diff.split('\n')) print(`    ${line}`)
  }
  for (const { machine, message } of result?.behind ?? []) print(`${machine} is behind: ${message}`)
  if (status === 'succeeded') print(`${kind} of ${deployment}: ${kind === 'check' ? checked(drift.length) : 'done'}`)
  else {
    process.stderr.write(
      `kitbag: ${kind} of ${deployment} ${status} (${id})${error ? `: ${describeError(error)}` : ''}\n`,
    )
  }
}

function checked(differing: number): string {
  if (differing === 0) return 'nothing differs from what was applied'
  return `${differing} ${differing === 1 ? 'resource differs' : 'resources differ'}; the next deploy puts them right`
}
