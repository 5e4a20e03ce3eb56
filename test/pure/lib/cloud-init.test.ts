import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { cloudConfig } from '../../../src/lib/cloud-init.ts'

test('user data is cloud-config with one host key, the login keys, and values that stay values', () => {
  const hostKey = { privateKey: '-----BEGIN\nab: "c"\n-----END\n', publicKey: 'ssh-ed25519 AAAA web-1' }
  const authorizedKeys = ['ssh-ed25519 BBBB x"\n- evil: yes']
  const text = cloudConfig({ name: 'web-1', hostKey, authorizedKeys })
  expect(text.split('\n')[0]).toBe('#cloud-config')
  expect(parse(text)).toMatchObject({
    hostname: 'web-1',
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    ssh_authorized_keys: authorizedKeys,
    disable_root: true,
    ssh_pwauth: false,
    disable_ec2_metadata: true,
  })
})
