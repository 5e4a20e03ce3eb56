import { describe, expect, test } from 'vitest'
import { parseListen, readConfig } from '../../../src/main/config.ts'

describe('KITBAG_LISTEN', () => {
  test.each([
    ['127.0.0.1:7070', { host: '127.0.0.1', port: 7070 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
  ])('%s', (text, expected) => expect(parseListen(text)).toEqual(expected))

  test.each(['7070', '127.0.0.1', ':7070', '127.0.0.1:65536', '::1:80', 'a b:1x'])('%s is refused by name', (text) => {
    expect(() => parseListen(text)).toThrow(`KITBAG_LISTEN is "${text}": it must be host:port`)
  })
})

describe('environment', () => {
  const base = { KITBAG_HOME: '/h', KITBAG_CACHE: '/c' }

  test('nothing set: all embedded, on loopback', () => {
    expect(readConfig(base)).toEqual({ home: '/h', cache: '/c', listen: { host: '127.0.0.1', port: 7070 } })
  })

  test.each([
    [{ TEMPORAL_ADDRESS: 't:7233' }, { address: 't:7233', namespace: 'default' }],
    [
      { TEMPORAL_ADDRESS: 't:7233', TEMPORAL_NAMESPACE: 'n', TEMPORAL_TLS: 'true' },
      { address: 't:7233', namespace: 'n', tls: true },
    ],
    [
      { TEMPORAL_ADDRESS: 't:7233', TEMPORAL_API_KEY: 'k' },
      { address: 't:7233', namespace: 'default', apiKey: 'k', tls: true },
    ],
    [
      { TEMPORAL_ADDRESS: 't:7233', TEMPORAL_TLS_CA: '/ca' },
      { address: 't:7233', namespace: 'default', tls: { ca: '/ca' } },
    ],
    [
      { TEMPORAL_ADDRESS: 't:7233', TEMPORAL_TLS_CERT: '/c', TEMPORAL_TLS_KEY: '/k' },
      { address: 't:7233', namespace: 'default', tls: { cert: '/c', key: '/k' } },
    ],
  ])('%j', (env, temporal) => expect(readConfig({ ...base, ...env }).temporal).toEqual(temporal))

  test('payloads are opened where it was asked for', () => {
    const on = { ...base, KITBAG_CODEC: 'on' }
    expect(readConfig(on).codec).toEqual({})
    const origin = 'https://temporal.example'
    expect(readConfig({ ...on, KITBAG_CODEC_ORIGIN: origin }).codec).toEqual({ origin })
    expect(readConfig({ ...base, KITBAG_CODEC: 'off' })).not.toHaveProperty('codec')
  })

  test.each([
    [{ TEMPORAL_ADDRESS: 't:1', TEMPORAL_TLS_CERT: '/c' }, 'TEMPORAL_TLS_KEY'],
    [{ TEMPORAL_ADDRESS: 't:1', TEMPORAL_TLS_KEY: '/k' }, 'TEMPORAL_TLS_CERT'],
    [{ DATABASE_URL: 'mysql://root:hunter2@x' }, 'DATABASE_URL'],
    [{ KITBAG_CODEC: 'yes' }, 'KITBAG_CODEC is "yes": it must be on or off'],
    [{ KITBAG_CODEC: 'on', KITBAG_CODEC_ORIGIN: '*' }, 'KITBAG_CODEC_ORIGIN'],
    [{ KITBAG_CODEC_ORIGIN: 'https://temporal.example' }, 'KITBAG_CODEC'],
  ])('%j is refused by name', (env, name) => {
    expect(() => readConfig({ ...base, ...env })).toThrow(name)
    expect(() => readConfig({ ...base, ...env })).not.toThrow('hunter2')
  })
})
