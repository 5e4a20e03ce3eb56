import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { type MonitoringBox, startMonitoringBox } from './monitoring/box.ts'

const memory = '512MiB'
const broker = (image: string) => ({ recipe: 'rabbitmq', settings: { vhost: 'shop' }, machine: { image, memory } })

/** Who uses both brokers; the client is Debian's own. */
const components = {
  queue: broker('debian-13'),
  older: broker('debian-12'),
  worker: {
    source: './app',
    runtime: 'nodejs',
    settings: { packages: ['amqp-tools'] },
    start: 'node server.js',
    port: 8080,
    machine: { memory: '256MiB' },
    env: { queue: '${queue.url}', older: '${older.url}' },
  },
}
const toolkit = {
  monitoring: {
    interval: '5s',
    placement: { with: 'queue' },
    alerts: [
      { name: 'broker-blocked', for: '0s' },
      { name: 'queue-unattended', for: '0s', above: 100 },
    ],
  },
  autoscaler: {
    component: 'worker',
    min: 1,
    max: 2,
    interval: '2s',
    target: { promql: 'sum(rabbitmq_queue_messages_ready{component="queue"})', shared: true, value: 100 },
  },
}

const brokers = ['queue', 'older'] as const
type Broker = (typeof brokers)[number]

describe.skipIf(noMachines)(`message brokers${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: MonitoringBox

  const run = async (machine: string, command: string) => {
    const { status, stdout } = await box.run(machine, `(${command}) 2>&1`)
    if (status !== 0) throw new Error(`${machine}: ${command}: ${status} ${stdout}`)
    return stdout.trim()
  }
  /** Runs a client of amqp-tools on the worker's machine, as its application would. */
  const client = (to: Broker, tool: string, more: string) =>
    run('worker-1', `. /etc/kitbag/worker/env; ${tool} --url "$${to}" ${more}`)
  const value = async (query: string) => {
    const path = `/query?query=${encodeURIComponent(query)}`
    const { series } = await box.ask<{ series: { samples: { value: number | null }[] }[] }>(path)
    return series[0]?.samples[0]?.value
  }
  const alerts = async () =>
    (await box.ask<{ alerts: { alert: string; state: string; machine: string }[] }>('/alerts')).alerts
      .filter(({ state }) => state === 'firing')
      .map(({ alert, machine }) => `${alert} ${machine}`)
  const shown = async () => {
    const answer = await box.plane.request('GET', '/v1/deployments/watched')
    return (await answer.json()) as { machines: { name: string; status: string }[] }
  }

  beforeAll(async () => {
    box = await startMonitoringBox(['debian-13', 'debian-12'])
    await box.deploy(toolkit, { components })
  })
  afterAll(() => box?.close([...brokers]))

  test.each(brokers)('%s: what is sent by the URL is kept, also when the server is killed', async (to) => {
    await client(to, 'amqp-declare-queue', '-d -q orders')
    // A server that is killed a moment after it made a durable queue forgets it: docs/brokers.md.
    await run(`${to}-1`, "rabbitmqctl -q eval 'dumped = mnesia:dump_log().' </dev/null")
    await client(to, 'amqp-publish', '-p -r orders -b "the first order"')
    // Nobody waited for the server's word that it has it.
    await until(
      async () => (await box.run(`${to}-1`, 'grep -rq "the first order" /var/lib/rabbitmq/mnesia')).status === 0,
    )
    await run(`${to}-1`, 'systemctl kill -s KILL rabbitmq-server')
    let got = ''
    await until(async () => {
      got = await client(to, 'amqp-get', '-q orders').catch(({ message }: Error) => message)
      return got === 'the first order'
    }).catch(() => {})
    expect(got).toBe('the first order')
  })

  test.each(brokers)(
    '%s: only its port is open, for its users, and there is no user that everybody knows',
    async (on) => {
      const own = (await box.machine(`${on}-1`)).address
      const listening = (await run(`${on}-1`, 'ss -Hltn'))
        .split('\n')
        .map((line) => line.split(/\s+/)[3] ?? '')
        .filter((place) => /:(4369|5672|15672|15692|25672)$/.test(place))
      expect(listening.sort()).toEqual([`${own}:5672`, '127.0.0.1:15692', '127.0.0.1:25672', '127.0.0.1:4369'].sort())
      expect(await run(`${on}-1`, 'rabbitmqctl -q list_users --no-table-headers </dev/null')).toMatch(/^shop\t\[\]$/)
      const reach = `timeout 5 bash -c 'exec 3<>/dev/tcp/${own}/5672'`
      await run('worker-1', reach)
      await expect(run(on === 'queue' ? 'older-1' : 'queue-1', reach)).rejects.toThrow()
      await expect(run('worker-1', `amqp-get --url amqp://guest:guest@${own} -q orders`)).rejects.toThrow('403')
    },
  )

  test('a check finds nothing; another password is found and set right, with nobody cut off', async () => {
    expect((await box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
    await run('queue-1', 'rabbitmqctl -q change_password shop another </dev/null')
    const { result } = await box.submit({ kind: 'check' })
    expect(result?.drift?.map(({ machine, resource }) => `${machine} ${resource}`)).toEqual([
      'queue-1 command:make the virtual host and its user',
    ])
    await box.deploy(toolkit, { components })
    await client('queue', 'amqp-publish', '-r orders -b again')
    expect((await box.submit({ kind: 'check' })).result).toMatchObject({ drift: [] })
  })

  test('it is watched without being told, queue by queue, and an autoscaler goes by what waits', async () => {
    await client('queue', 'amqp-declare-queue', '-d -q jobs')
    await run(
      'worker-1',
      '. /etc/kitbag/worker/env; for i in $(seq 150); do amqp-publish --url "$queue" -r jobs -b "$i" || exit 1; done',
    )
    await until(async () => (await value('rabbitmq_detailed_queue_messages_ready{queue="jobs"}')) === 150, 60_000)
    await until(async () => (await value('count(up{job=~"rabbitmq|rabbitmq-queues"} == 1)')) === 4)
    await until(async () => (await alerts()).includes('queue-unattended queue-1'), 60_000)
    await until(
      async () => (await shown()).machines.some(({ name, status }) => name === 'worker-2' && status === 'ready'),
      180_000,
    )
  })

  test('who publishes is kept waiting: a person is told', async () => {
    await run('older-1', 'rabbitmqctl -q set_vm_memory_high_watermark 0.00001 </dev/null')
    await until(async () => (await alerts()).includes('broker-blocked older-1'), 60_000)
    await run('older-1', 'rabbitmqctl -q set_vm_memory_high_watermark 0.4 </dev/null')
  })

  test('its data is not lost unless that is said', async () => {
    const refused = await box.submit({ kind: 'destroy' }).catch(({ message }: Error) => ({ error: { message } }))
    expect(refused.error?.message).toContain('queue-1 holds data that would be lost')
    const { queue: _, worker, ...others } = components
    const { queue: __, ...env } = worker.env
    const without = { ...others, worker: { ...worker, env } }
    const gone = await box.deploy({}, { components: without, mayFail: true }).catch((error: Error) => ({ error }))
    expect(gone.error?.message).toContain('queue-1 holds data that would be lost')
    expect((await shown()).machines.find(({ name }) => name === 'queue-1')?.status).toBe('ready')
  })
})
