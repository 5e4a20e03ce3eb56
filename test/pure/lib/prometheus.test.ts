import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { latestValue, queryPrometheus, queryPrometheusRange } from '../../../src/lib/prometheus.ts'
import type { Reach } from '../../../src/model/reach.ts'

const machine = { id: 'mac_1', name: 'monitoring-1', address: '10.0.0.9', port: 22, user: 'debian', hostKey: '' }

let server: Server
let answer: { status: number; body: string } | undefined
let asked: { path: string; fields: Record<string, string> }[] = []

/** Reaches a server of this test wherever it is asked to go. */
const reach = {
  connectTcp: async () => connect((server.address() as AddressInfo).port, '127.0.0.1'),
} as unknown as Reach

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    asked.push({ path: request.url ?? '', fields })
    if (!answer) return
    response.statusCode = answer.status
    response.end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

beforeEach(() => {
  asked = []
  answer = undefined
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const says = (result: unknown, resultType = 'vector') => {
  answer = { status: 200, body: JSON.stringify({ status: 'success', data: { resultType, result } }) }
}

describe('an answer', () => {
  test('is values with their times and labels, however odd they are', async () => {
    says([
      { metric: { component: 'web' }, value: [1_000.5, '0.25'] },
      { metric: {}, value: [1_000, 'NaN'] },
      { metric: {}, value: [1_000, '+Inf'] },
      { metric: {}, value: [1_000, '-1'] },
    ])
    const series = await queryPrometheus(reach, machine, 'x')
    expect(series[0]).toEqual({ labels: { component: 'web' }, samples: [{ at: 1_000_500, value: 0.25 }] })
    expect(series.map(({ samples }) => samples[0]?.value)).toEqual([0.25, Number.NaN, Number.POSITIVE_INFINITY, -1])
    expect(asked).toEqual([{ path: '/api/v1/query', fields: { query: 'x' } }])
  })

  test('of a metric that nobody has is nothing', async () => {
    says([])
    expect(await latestValue(reach, machine, 'no_such')).toBeUndefined()
  })

  test('of a number is that number', async () => {
    says([7, '42'], 'scalar')
    expect(await latestValue(reach, machine, '42')).toEqual({ at: 7_000, value: 42 })
  })

  test('over a time is in order of time, and asked for in seconds', async () => {
    says(
      [
        {
          metric: { a: 'b' },
          values: [
            [1, '1'],
            [2, '2'],
          ],
        },
      ],
      'matrix',
    )
    const series = await queryPrometheusRange(reach, machine, 'x', { from: 1_000, to: 2_000, step: 500 })
    expect(series[0]?.samples).toEqual([
      { at: 1_000, value: 1 },
      { at: 2_000, value: 2 },
    ])
    expect(asked[0]?.fields).toEqual({ query: 'x', start: '1', end: '2', step: '0.5' })
  })
})

describe('a failure', () => {
  test('of the expression has the words of Prometheus', async () => {
    answer = { status: 400, body: JSON.stringify({ status: 'error', error: 'parse error: unexpected end' }) }
    await expect(queryPrometheus(reach, machine, 'sum(')).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('parse error: unexpected end'),
    })
  })

  test.for([
    [503, 'Service Unavailable', 'it answered 503', true],
    [200, '{"status":"succ', 'not understood, or longer', false],
    [200, '<html>a gateway of somebody</html>', 'not understood', false],
    [200, 'null', 'not understood', false],
    [200, '{"status":"success","data":{}}', 'not understood', false],
  ] as const)('%i %s names the machine', async ([status, body, message, retryable]) => {
    answer = { status, body }
    await expect(queryPrometheus(reach, machine, 'x')).rejects.toMatchObject({
      code: 'service-failed',
      machine: 'monitoring-1',
      retryable,
      message: expect.stringContaining(message),
    })
  })

  test('of one that never answers comes after the time given', async () => {
    await expect(queryPrometheus(reach, machine, 'x', { timeout: 50 })).rejects.toMatchObject({
      code: 'service-failed',
      message: expect.stringContaining('no answer within 50 ms'),
    })
  })
})
