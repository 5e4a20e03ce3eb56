import { KitbagError } from '../../model/errors.ts'
import { connect, deploymentPath } from '../connect.ts'
import { printJson, printTable } from '../output.ts'
import { submit, type WaitOptions } from '../watch.ts'

export function rollback(
  name: string,
  release: string | undefined,
  options: WaitOptions & { allowDataLoss?: string[] },
): Promise<number> {
  if (release !== undefined && !/^[1-9]\d{0,8}$/.test(release)) {
    throw new KitbagError('invalid-request', `"${release}" is not the number of a release`, {
      fix: `See kitbag releases ${name}.`,
    })
  }
  const { allowDataLoss } = options
  const body = {
    kind: 'rollback',
    ...(release !== undefined && { release: Number(release) }),
    ...(allowDataLoss && { allowDataLoss }),
  }
  return submit(name, body, options)
}

export function promote(name: string, options: WaitOptions): Promise<number> {
  return submit(name, { kind: 'promote' }, options)
}

export function abort(name: string, options: WaitOptions): Promise<number> {
  return submit(name, { kind: 'abort' }, options)
}

export async function releases(name: string, options: { json?: boolean }): Promise<void> {
  const rows = await connect().all<{ number: number; digest: string; createdAt: string; current: boolean }>(
    deploymentPath(name, '/releases'),
  )
  if (options.json) return printJson(rows)
  printTable(
    ['RELEASE', 'MADE', 'DIGEST', ''],
    rows.map((row) => [row.number, row.createdAt, row.digest.slice(0, 12), row.current ? 'in force' : '']),
  )
}
