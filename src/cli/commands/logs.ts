import { linesOf } from '../../api/client.ts'
import { KitbagError } from '../../model/errors.ts'
import { connect, deploymentPath } from '../connect.ts'
import { print } from '../output.ts'

interface LogOptions {
  follow?: boolean
  component?: string
  machine?: string
  lines?: string
  all?: boolean
  level?: string
  since?: string
  until?: string
  text?: string
  json?: boolean
}

/** Prints log lines as they come; with `--json` one object a line. */
export async function logs(name: string, options: LogOptions): Promise<void> {
  if (options.lines !== undefined && !/^\d{1,5}$/.test(options.lines))
    throw new KitbagError('invalid-request', `--lines ${options.lines}: it must be a number, up to 10000`)
  const query = new URLSearchParams({ follow: String(options.follow === true), all: String(options.all === true) })
  for (const key of ['component', 'machine', 'lines', 'level', 'since', 'until', 'text'] as const)
    if (options[key] !== undefined) query.set(key, options[key])
  for await (const line of linesOf(await connect().call('GET', deploymentPath(name, `/logs?${query}`)))) {
    if (options.json) process.stdout.write(`${line}\n`)
    else {
      const { at, machine, message, error } = JSON.parse(line) as Record<string, string>
      print(error === undefined ? `${at} ${machine}: ${message}` : `${machine}: ${error}`)
    }
  }
}
