import { expect, test } from 'vitest'
import { fingerprintsIn, judgeHostKey } from '../../../src/activities/import/host-key.ts'
import { fingerprint, parsePublicKey } from '../../../src/lib/host-key.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'

const key = generateKeyPair('host').publicKey.split(' ').slice(0, 2).join(' ')
const print = fingerprint(parsePublicKey(key).blob)
const other = `SHA256:${'B'.repeat(43)}`
const block = (kind: string, text: string) =>
  `[   9.1] cloud-init[1]: ci-info\n-----BEGIN SSH HOST KEY ${kind}-----\n${text}\n-----END SSH HOST KEY ${kind}-----\n`

test('a given key is believed when the machine shows it, and no other', () => {
  const shown = { keys: [key], fromCloud: false }
  expect(judgeHostKey({ ...shown, given: print })).toEqual({ fingerprint: print, source: 'given', pinned: key })
  expect(judgeHostKey({ ...shown, given: key })?.pinned).toBe(key)
  expect(judgeHostKey({ ...shown, given: other })).toBeUndefined()
})

test('what the console says counts only where cloud-init writes its host keys', () => {
  const judged = (console: string) => judgeHostKey({ keys: [key], fromCloud: false, console })
  expect(judged(block('FINGERPRINTS', `<14> 256 ${print} root@host (ED25519)`))).toMatchObject({
    source: 'console',
    pinned: key,
  })
  expect(judged(block('KEYS', `${key} root@host`))).toMatchObject({ source: 'console', pinned: key })
  expect(judged(`somebody wrote ${print}`)).toEqual({ fingerprint: print, source: 'shown' })
  expect(judged(block('FINGERPRINTS', other))).toEqual({ fingerprint: print, source: 'shown' })
  expect(fingerprintsIn('')).toEqual([])
})

test('nobody vouches for a key that is only shown; the cloud does for one that it knows', () => {
  expect(judgeHostKey({ keys: [key], fromCloud: false })?.pinned).toBeUndefined()
  expect(judgeHostKey({ keys: [key], fromCloud: true })).toMatchObject({ source: 'cloud', pinned: key })
  expect(judgeHostKey({ keys: [], fromCloud: false })).toBeUndefined()
})
