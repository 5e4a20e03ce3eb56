import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kitbag } from '../../../demo/kitbag.ts'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, type OperationWithUnits, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'
import { found } from './forms-of-secret.ts'
import { type Seen, watchProcesses } from './process-watch.ts'

const name = 'discreet'

const files = (migrate: string) => ({
  'blueprint.yaml': `
apiVersion: kitbag/v1
name: discreet
components:
  web:
    source: ./app
    runtime: nodejs
    migrate: ${JSON.stringify(migrate)}
    start: node server.js
    port: 8080
    machine: { memory: 256MiB }
    env: { DATABASE_URL: "\${db.url}", GIVEN: "\${secrets.GIVEN}", TOKEN: "\${vault.token}", KEY: "\${certificates.own.key}" }
  db:
    recipe: postgresql
    machine: { memory: 512MiB }
  vault:
    recipe: ./recipes/vault
    machine: { memory: 256MiB }
toolkit:
  certificates:
    certificates: [{ name: own, hosts: [own.internal] }]
`,
  'app/server.js': "require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)\n",
  'recipes/vault/recipe.yaml': `
name: vault
description: Holds a secret of its own.
parameters: { token: { type: string, x-kitbag-secret: true } }
outputs: { token: "\${parameters.token}" }
resources:
  - file: /etc/vault.token
    content: "{{line parameters.token}}"
    mode: "0600"
  - command: test "$(cat)" = "$TOKEN"
    name: use it
    always: true
    environment: { TOKEN: "\${parameters.token}" }
    stdin: "{{line parameters.token}}"
`,
})

/** Every file below a folder, with what it holds; what is no regular file is passed over. */
function* filesBelow(folder: string): Generator<[string, Buffer]> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile()) continue
    try {
      if (statSync(path).size < 1 << 28) yield [path, readFileSync(path)]
    } catch {
      // A server's own file, gone meanwhile.
    }
  }
}

describe.skipIf(noMachines)(`secrets of a deployment are not found${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation
  let folder: BlueprintFolder
  let seen: Seen
  let secrets: Record<string, string>
  const operations: OperationWithUnits[] = []

  beforeAll(async () => {
    folder = blueprintFolder(files('echo "$DATABASE_URL" >/dev/null'))
    box = await startInstallation()
    const given = `given${randomBytes(20).toString('hex')}`
    await box.client.json('PUT', `/v1/deployments/${name}/secrets/GIVEN`, { value: given })
    const stop = watchProcesses()
    operations.push(await box.finished(await box.deploy(name, folder.blueprint)))
    const web = await box.guest(name, 'web-1')
    const url = await web.run('. /etc/kitbag/web/env; printf \'%s\' "$DATABASE_URL"')
    const token = await (await box.guest(name, 'vault-1')).run('cat /etc/vault.token')
    const [, key = ''] = (await web.run('. /etc/kitbag/web/env; printf \'%s\' "$KEY"')).split('\n')
    secrets = { given, token, database: decodeURIComponent(new URL(url).password), key }
    // What a diff would show, and what a failing command prints.
    await web.run('echo changed >>/etc/kitbag/web/env')
    operations.push(await box.finished(await box.submit(name, { kind: 'check' })))
    folder.write(files('echo "$DATABASE_URL $GIVEN" "$TOKEN" "$KEY"; exit 1'))
    operations.push(await box.finished(await box.deploy(name, folder.blueprint)))
    seen = await stop()
  })

  afterAll(async () => {
    folder?.remove()
    await box?.stop()
  })

  test('there are four, in force, and what could have told them went as it should', () => {
    expect(Object.values(secrets).map((value) => value.length >= 16)).toEqual([true, true, true, true])
    expect(operations.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'failed'])
    expect(operations[1]?.result?.drift).toContainEqual({
      machine: 'web-1',
      resource: 'file:/etc/kitbag/web/env',
      changes: ['content'],
      diff: '[secret]',
    })
    expect(operations[2]?.error).toMatchObject({ machine: 'web-1', resource: 'command:migrate' })
    expect(operations[2]?.error?.output).toContain('[secret]')
    expect(found(secrets, `x ${Buffer.from(`yz${secrets.given}`).toString('base64')}`)).toEqual(['given'])
  })

  test('in process lists of control plane and machines, sampled all through', () => {
    expect(seen.rounds).toBeGreaterThan(200)
    const commands = [...seen.commands]
    expect(commands.some((line) => line.includes('apt-get'))).toBe(true)
    expect(commands.some((line) => line.includes('psql'))).toBe(true)
    expect(commands.filter((line) => found(secrets, line).length > 0)).toEqual([])
    expect([...seen.environments].filter((text) => found(secrets, text).length > 0)).toEqual([])
  })

  test("in Temporal's database and histories", async () => {
    const port = readFileSync(join(box.home, 'temporal/port'), 'utf8').trim()
    const connection = await Connection.connect({ address: `127.0.0.1:${port}` })
    const histories: string[] = []
    for await (const { workflowId } of new Client({ connection }).workflow.list()) {
      const { history } = await connection.workflowService.getWorkflowExecutionHistory({
        namespace: 'default',
        execution: { workflowId },
      })
      histories.push(JSON.stringify(history))
    }
    await connection.close()
    // Beside the operations, what watches the deployment.
    expect(histories).toHaveLength(operations.length + 1)
    expect(histories.flatMap((text) => found(secrets, text))).toEqual([])
    const below = [...filesBelow(join(box.home, 'temporal'))]
    expect(below.map(([path]) => path)).toContain(join(box.home, 'temporal/temporal.db'))
    expect(below.filter(([, bytes]) => found(secrets, bytes).length > 0).map(([path]) => path)).toEqual([])
  })

  test('in the database in clear, neither in its files nor in its rows', async () => {
    await box.query('checkpoint')
    const files = [...filesBelow(join(box.home, 'postgres'))]
    expect(files.length).toBeGreaterThan(500)
    expect(files.filter(([, bytes]) => found(secrets, bytes).length > 0).map(([path]) => path)).toEqual([])
    const tables = await box.query(
      "select schemaname || '.' || tablename as name from pg_tables where schemaname !~ '^(pg_|information)'",
    )
    expect(tables.length).toBeGreaterThan(10)
    for (const { name: table } of tables) {
      const rows = await box.query(`select t::text as row from ${table} t`)
      expect([table, found(secrets, JSON.stringify(rows))]).toEqual([table, []])
    }
  })

  test("in the API's answers, events and plans", async () => {
    const { paths } = await box.client.json<{ paths: Record<string, Record<string, unknown>> }>('GET', '/openapi.json')
    // Of toolkit services it has certificates only.
    const none = (path: string) => path.includes('{service}') && !path.includes('/certificates/')
    const gets = Object.keys(paths).filter((path) => paths[path]?.get && !none(path))
    expect(gets.length).toBeGreaterThan(10)
    const values: Record<string, string[]> = {
      deployment: [name],
      operation: operations.map(({ id }) => id),
      number: ['1', '2'],
      cloud: ['home'],
      certificate: ['own'],
    }
    const answers: [string, string][] = []
    for (const path of gets) {
      const [, parameter] = /\{(\w+)\}[^{]*$/.exec(path) ?? []
      for (const value of parameter === undefined ? [''] : (values[parameter] ?? [''])) {
        const filled = path
          .replace('{deployment}', name)
          .replace('{service}', 'certificates')
          .replace(/\{\w+\}/, value)
        const query = path.endsWith('/logs') ? '?all=true&lines=10000' : ''
        answers.push([filled, await (await box.client.call('GET', `${filled}${query}`)).text()])
      }
    }
    answers.push(['plan', JSON.stringify(await box.plan(name, folder.blueprint))])
    const shown = await kitbag(['plan', folder.blueprint, '--name', name, '--cloud', 'home'], { env: box.env })
    answers.push(['kitbag plan', JSON.stringify(shown)])
    expect(answers.map(([path]) => path)).toEqual(
      expect.arrayContaining([
        `/v1/deployments/${name}/logs`,
        `/v1/deployments/${name}/certificates/certificates/certificates/own`,
        `/v1/operations/${operations[0]?.id}/events`,
      ]),
    )
    expect(answers.filter(([, text]) => found(secrets, text).length > 0).map(([path]) => path)).toEqual([])
  })

  test('in logs of the control plane, journals and logs of machines', async () => {
    expect(found(secrets, box.plane.output())).toEqual([])
    const logs = readdirSync(box.home).filter((file) => file.endsWith('.log'))
    expect(logs.length).toBeGreaterThanOrEqual(2)
    for (const file of logs) expect([file, found(secrets, readFileSync(join(box.home, file)))]).toEqual([file, []])
    for (const machine of ['web-1', 'db-1', 'vault-1']) {
      const guest = await box.guest(name, machine)
      expect([machine, found(secrets, await guest.run('journalctl --output=export'))]).toEqual([machine, []])
      const told = await guest.run('cd /var/log && find . -type f ! -path "./journal/*" -exec cat {} +')
      expect([machine, found(secrets, told)]).toEqual([machine, []])
    }
  })

  test('in files of machines but those that are meant to hold them', async () => {
    const holding: string[] = []
    const machines = await box.machines()
    const inits = await Promise.all(machines.map(async (machine) => (await box.guest(name, machine.name)).init()))
    for (const [index, { id, name: machine }] of machines.entries()) {
      const layer = join(box.home, 'local/machines', id, 'upper')
      for (const [path, bytes] of filesBelow(layer)) {
        const here = found(secrets, bytes)
        if (here.length > 0) holding.push(`${machine}:${path.slice(layer.length)} ${here.join(' ')}`)
      }
      for (const [path, bytes] of filesBelow(`/proc/${inits[index]}/root/run`)) {
        const here = found(secrets, bytes)
        if (here.length > 0) holding.push(`${machine}:${path} ${here.join(' ')}`)
      }
    }
    expect(holding.sort()).toEqual([
      'vault-1:/etc/vault.token token',
      'web-1:/etc/kitbag/web/env given token database key',
    ])
  })
})
