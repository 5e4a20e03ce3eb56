import { KitbagError } from '../../model/errors.ts'
import { connect } from '../connect.ts'
import { isFinal, type OperationBody } from '../operation.ts'
import { print, printJson, printTable } from '../output.ts'
import { report, type WaitOptions, watch } from '../watch.ts'

interface Unit {
  id: string
  stage: string
  status: string
  reason: string
}

/** Lists operations: all, or a deployment's. Given an operation's id it shows that one. */
export async function operations(which: string | undefined, options: { json?: boolean }): Promise<void> {
  if (which?.startsWith('op_')) return showOperation(which, options)
  const query = which === undefined ? '' : `?deployment=${encodeURIComponent(which)}`
  const rows = await connect().all<OperationBody>(`/v1/operations${query}`)
  if (options.json) return printJson(rows)
  printTable(
    ['ID', 'DEPLOYMENT', 'KIND', 'STATUS', 'MADE'],
    rows.map((row) => [row.id, row.deployment, row.kind, row.status, row.createdAt]),
  )
}

async function showOperation(id: string, options: { json?: boolean }): Promise<void> {
  const operation = await connect().json<OperationBody & { units: Unit[] }>('GET', path(id))
  if (options.json) return printJson(operation)
  const { kind, deployment, status, createdAt, finishedAt, units } = operation
  print(`${id}: ${kind} of ${deployment}, ${status}, made ${createdAt}${finishedAt ? `, ended ${finishedAt}` : ''}`)
  if (units.length > 0) {
    print('')
    printTable(
      ['UNIT', 'STATUS', 'WHY'],
      units.map((unit) => [unit.stage === 'undo' ? `undo ${unit.id}` : unit.id, unit.status, unit.reason]),
    )
    print('')
  }
  if (isFinal(status)) report(operation)
}

/** Exit code 0 when it was cancelled; `conflict` when it was over, or ended otherwise, before it could be. */
export async function cancel(id: string, options: WaitOptions): Promise<number> {
  const client = connect()
  const before = await client.json<OperationBody>('GET', path(id))
  if (isFinal(before.status)) throw overAlready(before)
  const operation = await client.json<OperationBody>('POST', `${path(id)}/cancel`)
  const status = await watch(client, operation, options)
  if (options.wait === false) return status
  const ended = await client.json<OperationBody>('GET', path(id))
  return ended.status === 'cancelled' ? 0 : 1
}

function overAlready({ id, kind, deployment, status }: OperationBody): KitbagError {
  return new KitbagError('conflict', `${id} is over already: ${kind} of ${deployment} ${status}`)
}

function path(id: string): string {
  return `/v1/operations/${encodeURIComponent(id)}`
}
