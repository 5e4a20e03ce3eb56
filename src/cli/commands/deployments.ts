import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { createClient, linesOf } from '../../api/client.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Plan } from '../../model/plan.ts'
import { findConnection } from '../connection.ts'
import { assignment, type DescribeOptions, describeBlueprint } from '../describe.ts'
import { type OperationBody, type WaitOptions, watch } from '../follow.ts'
import { print, printJson, printTable } from '../output.ts'
import { planText } from '../plan-text.ts'

const connect = () => createClient(findConnection())
const path = (name: string) => `/v1/deployments/${encodeURIComponent(name)}`

async function submit(name: string, body: Record<string, unknown>, options: WaitOptions): Promise<number> {
  const client = connect()
  const operation = await client.json<OperationBody>(
    'POST',
    `${path(name)}/operations`,
    { attach: true, ...body },
    { 'idempotency-key': randomUUID() },
  )
  return watch(client, operation, options)
}

interface DeployOptions extends DescribeOptions, WaitOptions {
  name?: string
  plan?: string
  allowDataLoss?: string[]
  keepFailed?: boolean
  onConflict?: string
}

async function nameIn(file: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const { readDocument } = await import('../../blueprints/document.ts')
  const { readFile } = await import('node:fs/promises')
  const root = readDocument(await readFile(file, 'utf8'), file).value as { name?: unknown } | null
  if (typeof root?.name === 'string') return root.name
  throw new KitbagError('invalid-blueprint', `${file}: the blueprint has no name`, {
    fix: 'Give it one, or say --name.',
  })
}

export async function deploy(file: string, options: DeployOptions): Promise<number> {
  const { plan, allowDataLoss, keepFailed, onConflict } = options
  const described = await describeBlueprint(connect(), file, options)
  const extra = {
    ...(plan && { plan }),
    ...(allowDataLoss && { allowDataLoss }),
    ...(keepFailed && { keepFailed }),
    ...(onConflict && { onConflict }),
  }
  return submit(await nameIn(file, options.name), { kind: 'deploy', ...described, ...extra }, options)
}

export async function plan(file: string, options: DeployOptions & { exitCode?: boolean }): Promise<number> {
  const client = connect()
  const made = await client.json<Plan>(
    'POST',
    `${path(await nameIn(file, options.name))}/plan`,
    await describeBlueprint(client, file, options),
  )
  if (options.json) printJson(made)
  else for (const line of planText(made).split('\n')) print(line)
  return options.exitCode && made.units.length > 0 ? 2 : 0
}

export async function validate(file: string, options: DescribeOptions & { json?: boolean }): Promise<void> {
  const client = connect()
  const answer = await client.json<{ name: string }>(
    'POST',
    '/v1/validate',
    await describeBlueprint(client, file, options),
  )
  if (options.json) printJson(answer)
  else print(`${file}: ${answer.name} is right`)
}

export function rollback(
  name: string,
  release: string | undefined,
  options: WaitOptions & { allowDataLoss?: string[] },
): Promise<number> {
  const number = release === undefined ? undefined : Number(release)
  if (number !== undefined && !Number.isInteger(number))
    throw new KitbagError('invalid-request', `"${release}" is not the number of a release`)
  return submit(
    name,
    {
      kind: 'rollback',
      ...(number !== undefined && { release: number }),
      ...(options.allowDataLoss && { allowDataLoss: options.allowDataLoss }),
    },
    options,
  )
}

export function scale(name: string, counts: string[], options: WaitOptions): Promise<number> {
  const wanted = counts.map(assignment).map(([component, count]) => {
    if (!/^\d{1,4}$/.test(count))
      throw new KitbagError('invalid-request', `"${count}" is not a number of machines for ${component}`)
    return [component, Number(count)]
  })
  return submit(name, { kind: 'scale', scale: Object.fromEntries(wanted) }, options)
}

export function check(name: string, options: WaitOptions): Promise<number> {
  return submit(name, { kind: 'check' }, options)
}

interface Shown {
  name: string
  cloud: string | null
  status: string
  release: number | null
  url?: string
  machines: {
    name: string
    component: string
    status: string
    address: string | null
    release: number | null
    stateful: boolean
    drifted: boolean
  }[]
}

export async function destroy(
  name: string,
  options: WaitOptions & { yes?: boolean; allowDataLoss?: string[] },
): Promise<number> {
  const shown = await connect().json<Shown>('GET', path(name))
  const held = [...new Set(shown.machines.filter(({ stateful }) => stateful).map(({ component }) => component))]
  const unsaid = held.filter((component) => !options.allowDataLoss?.includes(component))
  if (process.stdin.isTTY && !options.yes) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    const loss = unsaid.length > 0 ? ` The data of ${unsaid.join(', ')} is lost.` : ''
    const answer = await terminal.question(
      `This destroys ${name} with its ${shown.machines.length} machines.${loss} Type its name to go on: `,
    )
    terminal.close()
    if (answer.trim() !== name) throw new KitbagError('cancelled', 'nothing was destroyed')
  } else {
    if (!options.yes)
      throw new KitbagError('invalid-request', `destroying ${name} needs --yes where nobody can be asked`)
    if (unsaid.length > 0) {
      const flags = unsaid.map((component) => `--allow-data-loss ${component}`).join(' ')
      throw new KitbagError('data-loss-refused', `the data of ${unsaid.join(', ')} would be lost`, {
        fix: `Say so: ${flags}`,
      })
    }
  }
  return submit(name, { kind: 'destroy' }, options)
}

export async function list(options: { json?: boolean }): Promise<void> {
  const rows = await connect().all<Shown & { machines: number; cloud: string }>('/v1/deployments')
  if (options.json) printJson(rows)
  else
    printTable(
      ['NAME', 'STATUS', 'RELEASE', 'MACHINES', 'CLOUD'],
      rows.map((row) => [row.name, row.status, row.release, row.machines, row.cloud]),
    )
}

export async function show(name: string, options: { json?: boolean }): Promise<void> {
  const shown = await connect().json<Shown>('GET', path(name))
  if (options.json) return printJson(shown)
  print(`${shown.name}: ${shown.status}, release ${shown.release ?? '-'}, cloud ${shown.cloud ?? '-'}`)
  if (shown.url) print(shown.url)
  print('')
  printTable(
    ['MACHINE', 'COMPONENT', 'STATUS', 'ADDRESS', 'RELEASE', ''],
    shown.machines.map((m) => [m.name, m.component, m.status, m.address, m.release, m.drifted ? 'drifted' : '']),
  )
}

export async function releases(name: string, options: { json?: boolean }): Promise<void> {
  const rows = await connect().all<{ number: number; digest: string; createdAt: string; current?: boolean }>(
    `${path(name)}/releases`,
  )
  if (options.json) printJson(rows)
  else
    printTable(
      ['RELEASE', 'MADE', 'DIGEST', ''],
      rows.map((row) => [row.number, row.createdAt, row.digest.slice(0, 12), row.current ? 'in force' : '']),
    )
}

export async function logs(
  name: string,
  options: { follow?: boolean; component?: string; machine?: string; lines?: string; all?: boolean; json?: boolean },
): Promise<void> {
  const query = new URLSearchParams({ follow: String(options.follow === true), all: String(options.all === true) })
  for (const key of ['component', 'machine', 'lines'] as const)
    if (options[key] !== undefined) query.set(key, options[key])
  for await (const line of linesOf(await connect().call('GET', `${path(name)}/logs?${query}`))) {
    if (options.json) process.stdout.write(`${line}\n`)
    else {
      const { at, machine, message, error } = JSON.parse(line) as Record<string, string>
      print(error === undefined ? `${at} ${machine}: ${message}` : `${machine}: ${error}`)
    }
  }
}
