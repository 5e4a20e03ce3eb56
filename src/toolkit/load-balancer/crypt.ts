import { createHash } from 'node:crypto'

/**
 * Rounds of a password's hash. HAProxy computes it anew for each request, on the thread that forwards: the fewest that the format has (about
 * half a millisecond). Passwords come from secrets, which nobody guesses.
 */
const rounds = 1000

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Order in which the digest's bytes are written, three by three (U. Drepper, "Unix crypt using SHA-256 and SHA-512", step 22). */
const order = Array.from({ length: 21 }, (_, i) => {
  const group = [i, i + 21, i + 42]
  return [...group.slice(i % 3), ...group.slice(0, i % 3)]
})

const sha512 = (...parts: Buffer[]): Buffer => createHash('sha512').update(Buffer.concat(parts)).digest()

/** Bytes of a digest, repeated to a length. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest)
}

/** `$6$...` as crypt(3) makes it, of a password and 16 characters of salt at most. */
export function sha512Crypt(password: string, salt: string): string {
  const key = Buffer.from(password)
  const salted = Buffer.from(salt.slice(0, 16))
  const b = sha512(key, salted, key)
  const parts = [key, salted, stretched(b, key.length)]
  for (let length = key.length; length > 0; length >>= 1) parts.push(length & 1 ? b : key)
  let digest: Buffer = sha512(...parts)
  const p = stretched(sha512(...Array.from({ length: key.length }, () => key)), key.length)
  const s = stretched(sha512(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => salted)), salted.length)
  for (let round = 0; round < rounds; round++) {
    digest = sha512(
      round % 2 ? p : digest,
      ...(round % 3 ? [s] : []),
      ...(round % 7 ? [p] : []),
      round % 2 ? digest : p,
    )
  }
  return `$6$rounds=${rounds}$${salted}$${written(digest)}`
}

function written(digest: Buffer): string {
  const groups = order.map(([a = 0, b = 0, c = 0]) =>
    bits(((digest[a] ?? 0) << 16) | ((digest[b] ?? 0) << 8) | (digest[c] ?? 0), 4),
  )
  return groups.join('') + bits(digest[63] ?? 0, 2)
}

function bits(value: number, characters: number): string {
  return Array.from({ length: characters }, (_, i) => alphabet[(value >> (6 * i)) & 63]).join('')
}
