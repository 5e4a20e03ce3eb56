import { KitbagError } from '../../model/errors.ts'
import { ask } from '../ask.ts'
import { assignment } from '../assignment.ts'
import { connect, deploymentPath } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'
import { submit, type WaitOptions } from '../watch.ts'

interface ImportPlan {
  ok: boolean
  name: string
  machine: { id: string; name: string; status: string; address: string | null; user: string }
  hostKey: { fingerprint: string; source: string } | null
  findings: { name: string; ok: boolean; detail: string }[]
}

interface ImportOptions extends WaitOptions {
  deployment: string
  component: string
  id?: string
  tag?: string
  user?: string
  port?: string
  fingerprint?: string
  plan?: boolean
}

/** Takes in a machine that runs already. With `--plan` only says what was found. */
export async function importMachine(cloud: string, options: ImportOptions): Promise<number> {
  const { deployment, component, id, tag, user, port } = options
  const body = {
    cloud,
    component,
    ...(id !== undefined && { id }),
    ...(tag !== undefined && { tag: tagOf(tag) }),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: portOf(port) }),
  }
  const look = (fingerprint?: string) =>
    connect().json<ImportPlan>('POST', deploymentPath(deployment, '/import-plan'), {
      ...body,
      ...(fingerprint !== undefined && { fingerprint }),
    })
  let { fingerprint } = options
  let found = await look(fingerprint)
  if (found.hostKey?.source === 'shown' && process.stdin.isTTY && !options.json) {
    fingerprint = await confirm(found)
    found = await look(fingerprint)
  }
  if (options.plan) {
    if (options.json) printJson(found)
    else show(found, deployment)
    return found.ok ? 0 : 3
  }
  if (!options.json) show(found, deployment)
  return submit(deployment, { kind: 'import', ...body, ...(fingerprint !== undefined && { fingerprint }) }, options)
}

function tagOf(text: string): { name: string; value: string } {
  const [name, value] = assignment(text)
  return { name, value }
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new KitbagError('invalid-request', `--port: "${text}" is not a port`)
}

async function confirm({ machine, hostKey }: ImportPlan): Promise<string> {
  const shown = hostKey?.fingerprint ?? ''
  const answer = await ask(
    `${machine.name} (${machine.address}) shows the host key ${shown}.\nIs that what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there? (yes/no) `,
  )
  if (answer?.trim() === 'yes') return shown
  throw new KitbagError('cancelled', 'nothing was imported')
}

function show({ ok, name, machine, findings }: ImportPlan, deployment: string): void {
  print(`${machine.id} (${machine.name}, ${machine.address ?? 'no address'}) as ${name} of ${deployment}:`)
  printTable(
    ['', 'WHAT', 'DETAIL'],
    findings.map((row) => [row.ok ? 'ok' : 'FAIL', row.name, row.detail]),
  )
  if (!ok) return
  print(`Its marks at the cloud are all that an import changes; the next deploy sets it up as ${name}.`)
  print('Before that, kitbag plan BLUEPRINT says what will change on it.')
}
