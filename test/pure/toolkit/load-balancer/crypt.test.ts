import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { sha512Crypt } from '../../../../src/toolkit/load-balancer/crypt.ts'

/** Perl's is the system's crypt(3). */
function system(password: string, salt: string): string {
  return execFileSync('perl', ['-e', 'local $/; print crypt(<STDIN>, $ARGV[0])', `$6$rounds=1000$${salt}`], {
    input: password,
  }).toString()
}

test.for(['a', 'secret', 'ä'.repeat(40), 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(300)])(
  'a hash is what crypt(3) makes it: %s',
  (password) => {
    expect(sha512Crypt(password, '0123456789abcdef')).toBe(system(password, '0123456789abcdef'))
  },
)
