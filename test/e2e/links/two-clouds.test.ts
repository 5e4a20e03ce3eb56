import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedGuestbook, machinesThatAnswer } from '../../../demo/guestbook.ts'
import { describeBlueprint, readBlueprint } from '../../../src/cli/blueprint-file.ts'
import type { Guest } from '../../support/guest.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { type OwnedTestMachines, ownedTestMachines } from '../../support/owned-machines.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'

/** What nobody on the way may read. */
const secret = 'nobody-on-the-way-reads-this'

/** The application at one cloud, its database and the load balancer at another one. */
function guestbookAt(release: string, replicas: number) {
  const changed = changedGuestbook(release)
  const text = readFileSync(changed.blueprint, 'utf8')
    .replace('default: 2', `default: ${replicas}`)
    .replace('    recipe: postgresql', '    recipe: postgresql\n    placement: { cloud: metal }')
    .replace('  loadBalancer:', '  loadBalancer:\n    placement: { cloud: metal }')
  writeFileSync(changed.blueprint, text)
  return changed
}

describe.skipIf(noMachines)(`the guestbook over two clouds${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation
  let owned: OwnedTestMachines

  beforeAll(async () => {
    box = await startInstallation()
    const [row] = await box.query('select ssh_public_key from installations')
    owned = await ownedTestMachines(2, String(row?.ssh_public_key))
    const machines = owned.machines.map(({ address, hostKey }, i) => ({ name: `metal-${i + 1}`, address, hostKey }))
    await box.client.json('POST', '/v1/clouds', { name: 'metal', provider: 'ssh', settings: { machines } })
  })

  afterAll(async () => {
    await box?.stop()
    await owned?.close()
  })

  async function deploy(release: string, replicas = 1): Promise<void> {
    const { blueprint, remove } = guestbookAt(release, replicas)
    try {
      const described = await describeBlueprint(box.client, await readBlueprint(blueprint), { cloud: 'home' })
      await done({ kind: 'deploy', ...described })
    } finally {
      remove()
    }
  }

  async function done(request: Record<string, unknown>): Promise<void> {
    const { status, error } = await box.finished(await box.submit('guestbook', request))
    expect([status, error]).toEqual(['succeeded', null])
  }

  async function addressOf(machine: string): Promise<string> {
    const { machines } = await box.show('guestbook')
    return machines.find(({ name }) => name === machine)?.address ?? ''
  }

  async function metal(machine: string): Promise<Guest> {
    const address = await addressOf(machine)
    const found = owned.machines.find((one) => one.address === address)
    if (!found) throw new Error(`${machine} (${address}) is none of the machines that exist`)
    return found.guest
  }

  const urlOf = async () => (await box.show('guestbook')).url ?? ''
  const onDatabase = async (query: string) =>
    (await metal('db-1')).run(`runuser -u postgres -- psql -X -A -t -c ${JSON.stringify(query)} guestbook`)

  async function write(message: string): Promise<void> {
    const body = JSON.stringify({ name: 'test', message })
    const answer = await fetch(`${await urlOf()}/entries`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(60_000),
    })
    expect(answer.status).toBe(201)
  }

  const entries = async () => (await fetch(`${await urlOf()}/entries`, { signal: AbortSignal.timeout(60_000) })).text()

  test('deploys and answers', async () => {
    await deploy('guestbook-1')
    expect(await machinesThatAnswer(await urlOf(), 5)).toEqual(['web-1'])
    await write('the first')
    expect(await entries()).toContain('the first')
  })

  test('what it says is read by nobody on the way', async () => {
    const web = await addressOf('web-1')
    const heard = listen(web)
    try {
      await until(() => heard.lines.includes('listening'))
      await write(secret)
      expect(await entries()).toContain(secret)
      const db = await addressOf('db-1')
      const balancer = await addressOf('load-balancer-1')
      await until(() => heard.lines.includes(`packet ${web} ${db} 5432`))
      await until(() => heard.lines.includes(`packet ${balancer} ${web} 9997`))
      expect(heard.lines.filter((line) => line.startsWith('found'))).toEqual([])
    } finally {
      heard.end()
    }
    // The text can be heard where it goes in the clear: between the client and the load balancer.
    const open = listen(await addressOf('load-balancer-1'))
    try {
      await until(() => open.lines.includes('listening'))
      await until(async () => {
        expect(await entries()).toContain(secret)
        return open.lines.some((line) => line.startsWith('found'))
      })
    } finally {
      open.end()
    }
  })

  test('the database says that it is so, and turns away who comes in the clear', async () => {
    const web = await addressOf('web-1')
    const told = `select distinct ssl, version from pg_stat_ssl join pg_stat_activity using (pid) where client_addr = '${web}'`
    expect(await onDatabase(told)).toBe('t|TLSv1.3')
    const guest = await box.guest('guestbook', 'web-1')
    const asked = (mode: string) =>
      guest.run(`
        . /etc/kitbag/web/env
        cd /opt/kitbag/web/current
        URL="\${DATABASE_URL%%[?]*}${mode}" node -e '
          const { Client } = require("pg")
          const client = new Client({ connectionString: process.env.URL, connectionTimeoutMillis: 10000 })
          client.on("error", () => {})
          client.connect().then(() => client.end()).then(() => console.log("in"), (error) => console.log(error.message))
        ' 2>&1`)
    expect(await asked('?sslmode=verify-full&sslrootcert=/etc/kitbag/authority.pem')).toBe('in')
    expect(await asked('')).toContain('no encryption')
    // Another authority than the deployment's own: the public ones.
    expect(await asked('?sslmode=verify-full')).toMatch(/unable to verify|self.signed/)
    const libpq = `
      apt-get install -qq -y --no-install-recommends postgresql-client >/dev/null 2>&1
      . /etc/kitbag/web/env
      psql -X -A -t -c "select 'in'" "$DATABASE_URL"
      psql -X -A -t -c "select 'in'" "\${DATABASE_URL%%[?]*}?sslmode=disable" 2>&1 || true`
    const [first, ...rest] = (await guest.run(libpq)).split('\n')
    expect(first).toBe('in')
    expect(rest.join(' ')).toContain('no encryption')
  })

  test('is updated and scaled out', async () => {
    await deploy('guestbook-2', 2)
    expect(await machinesThatAnswer(await urlOf())).toEqual(['web-1', 'web-2'])
    expect(await entries()).toContain(secret)
    const check = await box.finished(await box.submit('guestbook', { kind: 'check' }))
    expect(check.result?.drift).toEqual([])
  })

  test('a certificate that is due is renewed where it stands: nobody starts anew, nobody is cut off', async () => {
    const started = () => onDatabase('select pg_postmaster_start_time()')
    const shown = async () =>
      (await metal('db-1')).run(
        'openssl s_client -starttls postgres -connect localhost:5432 </dev/null 2>/dev/null | openssl x509 -noout -serial',
      )
    const before = [await started(), await shown()]
    await box.query(`update server_certificates set renew_at = now() - interval '1 hour'`)
    await done({ kind: 'scale', scale: {} })
    // A server that was told to read it anew does so some moments later.
    await expect.poll(shown).not.toBe(before[1])
    expect(await started()).toBe(before[0])
    expect(await entries()).toContain(secret)
    const [row] = await box.query("select renew_at > now() + interval '40 days' as later from server_certificates")
    expect(row?.later).toBe(true)
  })

  test('is destroyed, and nothing is left', async () => {
    await done({ kind: 'destroy', allowDataLoss: ['db'] })
    expect(await box.query('select * from server_certificates')).toEqual([])
    expect(await box.machines()).toEqual([])
    for (const { guest } of owned.machines)
      expect(
        await guest.run('ls -d /etc/kitbag /var/lib/kitbag /etc/systemd/system/kitbag-* 2>/dev/null || true'),
      ).toBe('')
  })
})

/** Lines of who listens to an address, from now on. */
function listen(address: string): { lines: string[]; end(): void } {
  const script = fileURLToPath(new URL('./capture.pl', import.meta.url))
  const child: ChildProcess = spawn('perl', [script, address, secret], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout?.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  return { lines, end: () => child.kill() }
}
