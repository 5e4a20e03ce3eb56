import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLoad } from '../../../bench/load.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'
import { balancedShop, small, type TestDeployment, testDeployment } from './deployment.ts'

const blueprint = ({ image = 'debian-13', replicas = 2 } = {}) =>
  balancedShop({ loadBalancer: { replicas, floatingAddress: true, machine: { ...small, image } } })

/** Tries a new connection every 20 ms; gives the longest time without one that was accepted. */
function watchConnections(address: string): { stop(): number } {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const socket = connect({ host: address, port: 80, timeout: 200 })
    socket.on('connect', () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      socket.destroy()
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => {})
  }, 20)
  return {
    stop() {
      clearInterval(timer)
      return Math.max(longest, performance.now() - last)
    },
  }
}

/** Long requests, one after the other on a connection each; gives what became of them. */
function longRequests(address: string): { stop(): Promise<string[]> } {
  const found: string[] = []
  let over = false
  const next = async (): Promise<void> => {
    while (!over) {
      const attempt = fetch(`http://${address}/?wait=5000`, { headers: { connection: 'close' } })
      found.push(
        await attempt.then(
          async (response) => `${response.status} ${await response.text()}`,
          (error: Error) => String(error.cause ?? error),
        ),
      )
    }
  }
  const running = [next(), next()]
  return {
    async stop() {
      over = true
      await Promise.all(running)
      return found
    },
  }
}

describe.skipIf(noMachines)(`a pair with a floating address${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment
  let address = ''

  const outputs = async () => {
    const { components } = await shop.call<{ components: { name: string; outputs: Record<string, unknown> }[] }>(
      'GET',
      '/v1/deployments/shop',
    )
    return components.find(({ name }) => name === 'loadBalancer')?.outputs
  }

  /** The machines that have the address now: one, but for moments. */
  async function holders(): Promise<string[]> {
    const found: string[] = []
    for (const { name } of await shop.machines('loadBalancer')) {
      const guest = await shop.guest(name)
      const has = await guest.run(`ip -o address show scope global to ${address}`).catch(() => '')
      if (has !== '') found.push(name)
    }
    return found
  }

  const holder = async () => (await holders())[0]

  const answers = async () => (await fetch(`http://${address}/`).catch(() => undefined))?.status === 200

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint(), 'one')
    address = String((await outputs())?.host)
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('the outputs give the one address that they share, which is no machine’s own', async () => {
    const machines = await shop.machines('loadBalancer')
    expect(machines.map(({ address: own }) => own)).not.toContain(address)
    expect(await outputs()).toMatchObject({ addresses: [address], host: address, url: `http://${address}` })
    await until(answers)
  })

  test('a machine that is cut off is stood in for, and the address does not come back by itself', async () => {
    const name = (await holder()) ?? ''
    const guest = await shop.guest(name)
    const load = startLoad(`http://${address}/`, { connections: 20, keepAlive: true })
    const watched = watchConnections(address)
    await until(() => load.result.total > 500)
    await guest.powerOff()
    const sofar = load.result.total
    await until(async () => (await answers()) && load.result.total > sofar + 500)
    await load.stop()
    // What the issue asks for is a figure of bench/; here only that it is a matter of moments.
    expect(watched.stop()).toBeLessThan(60_000)
    const now = await holder()
    expect(now).not.toBe(name)
    await shop.heal([name])
    expect(await holder()).toBe(now)
    expect(await outputs()).toMatchObject({ addresses: [address] })
  })

  test('HAProxy that cannot be started loses the address to the other', async () => {
    const name = (await holder()) ?? ''
    const guest = await shop.guest(name)
    await guest.run('systemctl mask --now haproxy')
    try {
      await until(async () => (await holder()) !== name && (await answers()))
    } finally {
      await guest.run('systemctl unmask haproxy; systemctl start haproxy')
    }
  })

  test('a reload, in which HAProxy writes its process number anew, does not look like its end', async () => {
    const name = (await holder()) ?? ''
    const guest = await shop.guest(name)
    const check =
      'cd /run; mv haproxy.pid gone; (sleep 0.2; mv gone haproxy.pid) & /usr/local/lib/kitbag/check-haproxy && echo runs'
    expect(await guest.run(check)).toBe('runs')
    for (let i = 0; i < 5; i++) await guest.run('systemctl reload haproxy')
    await until(answers)
    expect(await holders()).toEqual([name])
  })

  test('keepalived that is killed comes back, and one machine alone has the address', async () => {
    const name = (await holder()) ?? ''
    const guest = await shop.guest(name)
    const pid = () => guest.run('systemctl show --value --property=MainPID keepalived')
    const before = await pid()
    await guest.run('systemctl kill --signal=KILL keepalived')
    await until(async () => !['0', before].includes(await pid()))
    // Who has it is settled when those that listen have waited for three announcements.
    await until(async () => (await holders()).length === 1 && (await answers()))
    const load = startLoad(`http://${address}/`, { connections: 10, keepAlive: false })
    await until(() => load.result.total > 1000)
    expect((await load.stop()).failures).toEqual({})
    expect(await holders()).toHaveLength(1)
  })

  test('both are replaced under load, one after the other, and no request is lost, long ones included', async () => {
    const long = longRequests(address)
    const loads = [true, false].map((keepAlive) => startLoad(`http://${address}/`, { connections: 25, keepAlive }))
    const before = (await shop.machines('loadBalancer')).map(({ name }) => name)
    await until(() => loads.every(({ result }) => result.total > 500))
    await shop.deploy(blueprint({ image: 'debian-12' }), 'one')
    const results = await Promise.all(loads.map((load) => load.stop()))
    expect(results.map(({ failures }) => failures)).toEqual([{}, {}])
    expect(new Set(await long.stop())).toEqual(new Set(['200 hello']))
    const after = (await shop.machines('loadBalancer')).map(({ name }) => name)
    expect(after.filter((name) => before.includes(name))).toEqual([])
    // New connections went to the one with the lowest number before it had the address.
    expect(await holders()).toEqual([after.sort()[0]])
    expect(await outputs()).toMatchObject({ addresses: [address] })
  })

  test('one that is asked twice at once to stand back, or to take the address, does so', async () => {
    const holding = await holder()
    const name = (await shop.machines('loadBalancer')).map((machine) => machine.name).find((one) => one !== holding)
    const guest = await shop.guest(name ?? '')
    const twice = (script: string) =>
      guest.run(
        `cd /usr/local/lib/kitbag; ./${script} & one=$!; ./${script} & two=$!; wait $one && wait $two && echo both`,
      )
    expect(await twice('stand-back')).toBe('both')
    expect(await twice('accept-address')).toBe('both')
    expect(await holders()).toEqual([holding])
  })
})
