/** The bytes by which a secret may stand somewhere: as it is, in base64 at each of its three offsets, in hexadecimal. */
export function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((offset) => {
    // Characters that also hold bits of what stands before or after it differ from place to place.
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  })
  return [secret, ...base64, bytes.toString('hex')].map((form) => Buffer.from(form))
}

/** Which of these secrets stand in some bytes, by name. */
export function found(secrets: Record<string, string>, bytes: Buffer | string): string[] {
  const haystack = Buffer.from(bytes)
  return Object.keys(secrets).filter((name) => formsOf(secrets[name] ?? '').some((form) => haystack.includes(form)))
}
