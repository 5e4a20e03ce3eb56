import { publicKeyFingerprint } from '../../lib/host-key.ts'

/** Why a host key is believed: `cloud`: the cloud knows it; `shown`: it is not, until somebody has compared it. */
export interface HostKey {
  fingerprint: string
  source: 'given' | 'cloud' | 'console' | 'shown'
  /** Whole key; absent: nobody vouches for it. */
  pinned?: string
}

export interface Evidence {
  /** A fingerprint or a whole key, from a person. */
  given?: string
  /** Keys that the machine shows, or the one that its cloud says it has. */
  keys: string[]
  fromCloud: boolean
  /** What it has written to its console. */
  console?: string
}

/** undefined: the given key is not the machine's, or it shows none. */
export function judgeHostKey({ given, keys, fromCloud, console = '' }: Evidence): HostKey | undefined {
  const known = keys.map((key) => ({ key, print: publicKeyFingerprint(key) }))
  const found = (source: HostKey['source'], fits: (one: { key: string; print: string }) => boolean) => {
    const one = known.find(fits)
    return one && { fingerprint: one.print, source, ...(source !== 'shown' && { pinned: one.key }) }
  }
  if (given !== undefined) {
    const wanted = given.startsWith('SHA256:') ? given : publicKeyFingerprint(given)
    return found('given', ({ print }) => print === wanted)
  }
  if (fromCloud) return found('cloud', () => true)
  const written = fingerprintsIn(console)
  return found('console', ({ print }) => written.includes(print)) ?? found('shown', () => true)
}

/** Fingerprints of the host keys that cloud-init writes to the console at the first boot. */
export function fingerprintsIn(console: string): string[] {
  const blocks = console.matchAll(/-----BEGIN SSH HOST KEY (\w+)-----([\s\S]*?)-----END SSH HOST KEY \1-----/g)
  return [...blocks].flatMap(([, , text = '']) => [
    ...(text.match(/SHA256:[A-Za-z0-9+/]{43}/g) ?? []),
    ...(text.match(/(?:ssh|ecdsa)-[\w-]+ AAAA[A-Za-z0-9+/=]+/g) ?? []).map(publicKeyFingerprint),
  ])
}
