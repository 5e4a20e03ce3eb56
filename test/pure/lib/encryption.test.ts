import { describe, expect, test } from 'vitest'
import { decrypt, deriveKey, encrypt, generateKey } from '../../../src/lib/encryption.ts'

const key = generateKey()

describe('encryption', () => {
  test.each([0, 1, 1000])('%i bytes come back', (size) => {
    const plain = Buffer.alloc(size, 7)
    expect(decrypt(key, encrypt(key, plain)).equals(plain)).toBe(true)
  })

  test('the same twice is not the same', () => {
    expect(encrypt(key, Buffer.from('x')).equals(encrypt(key, Buffer.from('x')))).toBe(false)
  })

  test('every changed byte, a cut, and another key are noticed', () => {
    const sealed = encrypt(key, Buffer.from('plain text'))
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(() => decrypt(key, changed)).toThrow()
    }
    expect(() => decrypt(key, sealed.subarray(0, -1))).toThrow(/cannot decrypt/)
    expect(() => decrypt(key, Buffer.alloc(3))).toThrow(/not encrypted by this version/)
    expect(() => decrypt(generateKey(), sealed)).toThrow(/the key is another one/)
  })

  test('keys for two purposes differ', () => {
    expect(deriveKey(key, 'a').equals(deriveKey(key, 'b'))).toBe(false)
    expect(deriveKey(key, 'a').equals(deriveKey(key, 'a'))).toBe(true)
  })
})
