import { createPrivateKey, createPublicKey, createSign, createVerify } from 'node:crypto'
import { expect, test } from 'vitest'
import { dsOf, zoneKey } from '../../../../src/toolkit/dns/dnssec.ts'

const seed = 'a secret of at least thirty-two characters'

test('the DS of the example of RFC 6605, 6.1', () => {
  const key = 'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=='
  const dnskey = Buffer.concat([Buffer.from([257 >> 8, 257 & 255, 3, 13]), Buffer.from(key, 'base64')])
  expect(dsOf('example.net', dnskey)).toBe(
    '55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17',
  )
})

test('a zone has the same key on every node and after every rebuild, each zone and secret another', () => {
  const key = zoneKey(seed, 'shop.example')
  expect(zoneKey(seed, 'shop.example')).toEqual(key)
  // Fixed: a release that made another one would break every signed zone.
  expect(key.ds).toBe('50584 13 2 0e87092dc0382c52b636b750f375e949e9611deac42ae455ab02023a927f12fc')
  expect(zoneKey(seed, 'shop2.example').privateKey).not.toBe(key.privateKey)
  expect(zoneKey(`${seed}.`, 'shop.example').privateKey).not.toBe(key.privateKey)
})

test('private and public key belong together', () => {
  for (let i = 0; i < 50; i++) {
    const { privateKey, publicKey } = zoneKey(seed, `zone${i}.example`)
    const point = Buffer.from(publicKey, 'base64')
    expect([Buffer.from(privateKey, 'base64').length, point.length]).toEqual([32, 64])
    const url = (bytes: Buffer) => bytes.toString('base64url')
    const jwk = { kty: 'EC', crv: 'P-256', x: url(point.subarray(0, 32)), y: url(point.subarray(32)) }
    const secret = createPrivateKey({ key: { ...jwk, d: url(Buffer.from(privateKey, 'base64')) }, format: 'jwk' })
    const signature = createSign('sha256').update('x').sign(secret)
    expect(
      createVerify('sha256')
        .update('x')
        .verify(createPublicKey({ key: jwk, format: 'jwk' }), signature),
    ).toBe(true)
  }
})
