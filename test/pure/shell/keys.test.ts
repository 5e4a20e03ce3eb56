import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type ParsedKey } from 'ssh2'
import { describe, expect, test } from 'vitest'
import { publicKeyFingerprint } from '../../../src/lib/host-key.ts'
import { generateKeyPair } from '../../../src/shell/keys.ts'

describe('generated key pairs', () => {
  test('are read by ssh2 and sign what the public key verifies, every one of 1000', () => {
    for (let i = 0; i < 1000; i++) {
      const { privateKey, publicKey } = generateKeyPair('test')
      const secret = ssh2.utils.parseKey(privateKey) as ParsedKey
      const open = ssh2.utils.parseKey(publicKey) as ParsedKey
      expect(secret).not.toBeInstanceOf(Error)
      expect(open.verify('text', secret.sign('text') as Buffer)).toBe(true)
    }
  })

  test('can be made as often as there are machines: none of 30,000 stops the process', () => {
    const publicKeys = new Set<string>()
    for (let i = 0; i < 30_000; i++) publicKeys.add(generateKeyPair('').publicKey)
    expect(publicKeys.size).toBe(30_000)
  })

  test('are read by ssh-keygen, with the same public key, comment and fingerprint', ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'kitbag-keys-'))
    try {
      const { privateKey, publicKey } = generateKeyPair('kitbag of installation x')
      writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 })
      const keygen = (...args: string[]) => execFileSync('ssh-keygen', args, { encoding: 'utf8' }).trim()
      expect(keygen('-y', '-f', join(folder, 'key'))).toBe(publicKey)
      writeFileSync(join(folder, 'key.pub'), publicKey)
      expect(keygen('-l', '-f', join(folder, 'key.pub'))).toContain(publicKeyFingerprint(publicKey))
      expect(publicKey).toMatch(/^ssh-ed25519 AAAA\S+ kitbag of installation x$/)
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') skip('ssh-keygen is missing: apt-get install openssh-client')
      throw error
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('keep their comment on one line', () => {
    expect(generateKeyPair('a\nb\0c').publicKey.split('\n')).toHaveLength(1)
  })
})

test.each([
  ['nothing', ''],
  ['another format', '-----BEGIN PUBLIC KEY-----'],
  ['a type that is not the key’s', 'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIPPyhhXkhiYl'],
])('a fingerprint of %s is refused', (_, key) => {
  expect(() => publicKeyFingerprint(key)).toThrow(/not a public key in OpenSSH's format/)
})
