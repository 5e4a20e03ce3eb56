import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { noMachines } from '../providers/local-box.ts'

/** Made by whatever runs a value. */
const trace = `/tmp/kitbag-was-run-${randomBytes(6).toString('hex')}`

const values = [
  `$(touch ${trace})`,
  `\`touch ${trace}\``,
  `'; touch ${trace}; echo '`,
  `"; touch ${trace}; echo "`,
  `a\n\ntouch ${trace}\n`,
  '* ? [a-z] ~ !! # %n %% %h',
  '{{parameters.values}} {{{env}}} {{!-- gone? --}}',
  '$HOME ${HOME} $1 $$ \\ \\\\ \\n \\x41 \\',
  '\u001b[31mred\u001b[0m\u0007\u0001\u007f',
  '\ttab\r\ncarriage return\r',
  ' blanks around ',
  '',
  '-n',
  'é ß 🧰 👩‍👩‍👧 \u2028\u2029\u00a0\ufeff',
  `${'0123456789abcdef'.repeat(4095)}'"$(\`\n*{{x}}]`,
]

/** A value as a blueprint writes it: JSON is YAML, and a dollar sign before a brace is doubled. */
const written = (value: unknown) => JSON.stringify(value).replaceAll('${', () => '$${')
const lines = (of: string, indent: string) =>
  values.map((value, i) => `${indent}${of}${i}: ${written(value)}\n`).join('')

const echo = `
name: echo
description: Writes values into every kind of file.
parameters:
  values: { type: array, items: { type: string } }
  short: { type: array, items: { type: string } }
  one: { type: string }
resources:
  - directory: /etc/echo
  - file: /etc/echo/values.json
    content: "{{json parameters.values}}"
  - file: /etc/echo/values.sh
    content: |
      {{#each parameters.values}}
      printf '%s\\0' {{sh this}}
      {{/each}}
  - file: /etc/echo/values.env
    content: |
      {{#each parameters.values}}
      F{{@index}}={{env this}}
      {{/each}}
  - systemd-unit: echo.service
    content: |
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      EnvironmentFile=/etc/echo/values.env
      {{#each parameters.values}}
      Environment={{systemd (concat "U" @index "=" this)}}
      {{/each}}
      ExecStart=/bin/sh -c 'exec env -0 >/etc/echo/environment'
      ExecStart=/bin/sh -c 'printf "%%s\\\\0" "$$@" >/etc/echo/arguments' sh{{#each parameters.short}} {{systemdExec this}}{{/each}}
  - service: echo
    state: running
  - command: printf %s "$ONE" >/etc/echo/one; cat >/etc/echo/stdin
    name: from its environment and its input
    creates: /etc/echo/one
    environment: { ONE: "\${parameters.one}" }
    stdin: "{{json parameters.values}}"
`

const files = {
  'blueprint.yaml': `
apiVersion: kitbag/v1
name: hostile
parameters:
${values.map((_, i) => `  p${i}: { type: string }\n`).join('')}
components:
  web:
    source: ./app
    runtime: nodejs
    settings: { packages: [node-pg] }
    migrate: node migrate.js
    start: node server.js
    port: 8080
    public: true
    machine: { memory: 256MiB }
    env:
      DATABASE_URL: "\${db.url}"
${lines('BLUEPRINT', '      ')}${values.map((_, i) => `      PARAMETER${i}: "\${parameters.p${i}}"\n`).join('')}${values.map((value, i) => (value === '' ? '' : `      SECRET${i}: "\${secrets.S${i}}"\n`)).join('')}
  db:
    recipe: postgresql
    machine: { memory: 512MiB }
    settings:
      password: "\${secrets.PASSWORD}"
      configuration: { cluster_name: "it's \\"$(touch ${trace})\\" \\\\ * {{x}}" }
  echo:
    recipe: ./recipes/echo
    machine: { memory: 256MiB }
    settings:
      values: [${values.map(written).join(', ')}]
      short: [${values.slice(0, -1).map(written).join(', ')}]
      one: ${written(values.join(''))}
`,
  'app/server.js': `
const { Client } = require('pg')
const answer = async () => {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  const { rows } = await client.query('select current_user as name')
  await client.end()
  return { env: process.env, user: rows[0].name }
}
require('node:http').createServer((_, response) => answer().then(
  (body) => response.end(JSON.stringify(body)),
  (error) => response.writeHead(500).end(String(error)),
)).listen(process.env.PORT)
`,
  'app/migrate.js': "require('node:fs').writeFileSync('/tmp/migrate.json', JSON.stringify(process.env))\n",
  'recipes/echo/recipe.yaml': echo,
}

/** Twenty kinds of trouble for a URL, a shell, SQL and libpq at once. */
const password = `p'"\\ $(touch ${trace}) \`x\`;--\n%41@:/?#&=+ {{x}} é 🧰`

describe.skipIf(noMachines)(
  `env and setting values that mean something to others${noMachines ? ` (${noMachines})` : ''}`,
  () => {
    let box: Installation
    let folder: BlueprintFolder

    beforeAll(async () => {
      folder = blueprintFolder(files)
      box = await startInstallation()
      const secrets = { PASSWORD: password, ...Object.fromEntries(values.map((value, i) => [`S${i}`, value])) }
      for (const [name, value] of Object.entries(secrets)) {
        if (value !== '') await box.client.json('PUT', `/v1/deployments/hostile/secrets/${name}`, { value })
      }
      const parameters = Object.fromEntries(values.map((value, i) => [`p${i}`, value]))
      const operation = await box.finished(await box.deploy('hostile', folder.blueprint, { parameters }))
      expect([operation.status, operation.error]).toEqual(['succeeded', null])
    })

    afterAll(async () => {
      folder?.remove()
      await box?.stop()
    })

    const named = (prefix: string, of = values) => Object.fromEntries(of.map((value, i) => [`${prefix}${i}`, value]))
    const picked = (env: Record<string, string>, prefix: string) =>
      Object.fromEntries(Object.entries(env).filter(([name]) => new RegExp(`^${prefix}\\d+$`).test(name)))
    const given = Object.fromEntries(values.flatMap((value, i) => (value === '' ? [] : [[`SECRET${i}`, value]])))

    test('arrive byte for byte in the environment of the application and of its migration', async () => {
      const machine = (await box.show('hostile')).machines.find(({ name }) => name === 'web-1')
      const answer = await fetch(`http://${machine?.address}:8080/`)
      const { env, user } = (await answer.json()) as { env: Record<string, string>; user: string }
      const migrated = JSON.parse(await (await box.guest('hostile', 'web-1')).run('cat /tmp/migrate.json'))
      for (const seen of [env, migrated]) {
        expect(picked(seen, 'BLUEPRINT')).toEqual(named('BLUEPRINT'))
        expect(picked(seen, 'PARAMETER')).toEqual(named('PARAMETER'))
        expect(picked(seen, 'SECRET')).toEqual(given)
      }
      expect(user).toBe('app')
    })

    test('settings arrive byte for byte in JSON, shell, systemd units, environment files, commands', async () => {
      const guest = await box.guest('hostile', 'echo-1')
      const base64 = async (command: string) =>
        Buffer.from(await guest.run(`${command} | base64 -w0`), 'base64').toString()
      expect(JSON.parse(await base64('cat /etc/echo/values.json'))).toEqual(values)
      expect((await base64('sh /etc/echo/values.sh')).split('\0').slice(0, -1)).toEqual(values)
      const environment = (await base64('cat /etc/echo/environment'))
        .split('\0')
        .map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)] as const)
      const seen = Object.fromEntries(environment)
      expect(picked(seen, 'U')).toEqual(named('U'))
      expect(picked(seen, 'F')).toEqual(named('F'))
      expect((await base64('cat /etc/echo/arguments')).split('\0').slice(0, -1)).toEqual(values.slice(0, -1))
      expect(await base64('cat /etc/echo/one')).toBe(values.join(''))
      expect(JSON.parse(await base64('cat /etc/echo/stdin'))).toEqual(values)
    })

    test('a setting of postgresql.conf arrives; a hostile password lets in who has it, and nobody else', async () => {
      const guest = await box.guest('hostile', 'db-1')
      const psql = (sql: string) => guest.run(`cd /; runuser -u postgres -- psql -X -A -t -c "${sql}"`)
      expect(await psql('show cluster_name')).toBe(`it's "$(touch ${trace})" \\ * {{x}}`)
      await expect(guest.run('PGPASSWORD=p psql -w -h 127.0.0.1 -U app -d app -c "select 1"')).rejects.toThrow(
        /authentication/,
      )
    })

    test('nothing was run, neither on the machines nor on this box', async () => {
      for (const machine of ['web-1', 'db-1', 'echo-1']) {
        const guest = await box.guest('hostile', machine)
        expect([machine, await guest.run(`find / -xdev -name '${trace.slice(5)}*' -not -path '/proc/*'`)]).toEqual([
          machine,
          '',
        ])
      }
      expect(existsSync(trace)).toBe(false)
    })

    test('deployed again and checked, nothing differs', async () => {
      const check = await box.finished(await box.submit('hostile', { kind: 'check' }))
      expect(check.result?.drift).toEqual([])
    })

    const refusals: [string, string, string, RegExp][] = [
      ['a database name', 'db', 'database: "a\'; drop table x"', /components\.db\.settings\.database/],
      ['a database user', 'db', 'user: "$(id)"', /components\.db\.settings\.user/],
      ['NUL in a setting', 'db', 'database: "a\\0b"', /NUL/],
      ['half a surrogate pair', 'db', 'database: "\\ud83e"', /surrogate/],
    ]
    test.each(refusals)('%s is refused by name before anything is made', async (_, component, setting, where) => {
      const text = `apiVersion: kitbag/v1\nname: refused\ncomponents:\n  ${component}:\n    recipe: postgresql\n    settings:\n      ${setting}\n`
      const body = { kind: 'deploy', blueprint: { text }, cloud: 'home' }
      const refused = await box.client
        .call('POST', '/v1/deployments/refused/operations', { body })
        .catch((error) => error)
      expect(refused).toMatchObject({ code: 'invalid-blueprint' })
      expect(JSON.stringify(refused.problems)).toMatch(where)
    })

    test('what a file cannot hold is refused by name on its way there, and what was made is undone', async () => {
      const bad = blueprintFolder({
        'blueprint.yaml': `apiVersion: kitbag/v1\nname: bad\ncomponents:\n  box:\n    recipe: ./recipes/line\n    machine: { memory: 256MiB }\n    settings: { text: "a\\nb = c" }\n`,
        'recipes/line/recipe.yaml':
          'name: line\ndescription: One line.\nparameters: { text: { type: string } }\nresources:\n  - file: /etc/line.conf\n    content: "a = {{pgConf parameters.text}}"\n',
      })
      try {
        const failed = await box.finished(await box.deploy('bad', bad.blueprint))
        expect(failed).toMatchObject({ status: 'failed', error: { machine: 'box-1' }, result: { undone: true } })
        for (const named of ['recipe.yaml:6:19', 'parameters.text', 'a newline'])
          expect(failed.error?.message).toContain(named)
        expect((await box.machines()).map(({ name }) => name).sort()).toEqual(['db-1', 'echo-1', 'web-1'])
      } finally {
        bad.remove()
      }
    })
  },
)
