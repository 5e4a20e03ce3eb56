import { KitbagError } from '../model/errors.ts'
import { cacheFolder, homeFolder } from './paths.ts'
import type { TemporalTarget } from './temporal/connect.ts'

/** What the environment says about this process; every name is in docs/operations.md. */
export interface Config {
  home: string
  cache: string
  listen: { host: string; port: number }
  /** Absent: the embedded one. */
  databaseUrl?: string
  /** Absent: the embedded one. */
  temporal?: TemporalTarget
  /** File with the master key; default in the home. */
  masterKeyFile?: string
  /** Opens what Temporal stores to whoever has a token, browsers from this origin included. Absent: nobody. */
  codec?: { origin?: string }
}

type Environment = Record<string, string | undefined>

/** Throws `invalid-request` naming the variable, what it holds and what it may hold. */
export function readConfig(env: Environment = process.env): Config {
  const temporal = readTemporal(env)
  const codec = readCodec(env)
  return {
    home: homeFolder(env),
    cache: cacheFolder(env),
    listen: parseListen(env.KITBAG_LISTEN || '127.0.0.1:7070'),
    ...(env.DATABASE_URL && { databaseUrl: checkDatabaseUrl(env.DATABASE_URL) }),
    ...(temporal && { temporal }),
    ...(env.KITBAG_MASTER_KEY_FILE && { masterKeyFile: env.KITBAG_MASTER_KEY_FILE }),
    ...(codec && { codec }),
  }
}

function readCodec({ KITBAG_CODEC: codec = '', KITBAG_CODEC_ORIGIN: origin }: Environment): Config['codec'] {
  if (!['', 'on', 'off'].includes(codec)) throw invalid('KITBAG_CODEC', codec, 'on or off')
  if (origin && !/^https?:\/\/[^/\s]+$/.test(origin))
    throw invalid('KITBAG_CODEC_ORIGIN', origin, 'an origin such as https://temporal.example')
  if (origin && codec !== 'on') throw invalid('KITBAG_CODEC', codec, 'on where KITBAG_CODEC_ORIGIN is set')
  return codec === 'on' ? { ...(origin && { origin }) } : undefined
}

/** `host:port`, `[::1]:port`; port 0 is any free one. */
export function parseListen(text: string): Config['listen'] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host && port <= 65_535) return { host, port }
  throw invalid('KITBAG_LISTEN', text, 'host:port, for example 127.0.0.1:7070 or [::1]:7070')
}

function checkDatabaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\//.test(text)) return text
  throw invalid('DATABASE_URL', 'something else', 'a URL that begins with postgres://')
}

function readTemporal(env: Environment): TemporalTarget | undefined {
  if (!env.TEMPORAL_ADDRESS) return undefined
  const { TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: cert, TEMPORAL_TLS_KEY: key, TEMPORAL_API_KEY: apiKey } = env
  if (Boolean(cert) !== Boolean(key)) {
    throw invalid(cert ? 'TEMPORAL_TLS_KEY' : 'TEMPORAL_TLS_CERT', '', 'a file: certificate and key go together')
  }
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  const wanted = /^(1|true|yes|on)$/i.test(env.TEMPORAL_TLS ?? '')
  const tls = Object.keys(files).length > 0 ? files : wanted || apiKey ? true : undefined
  return {
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE || 'default',
    ...(tls && { tls }),
    ...(apiKey && { apiKey }),
  }
}

function invalid(name: string, found: string, allowed: string): KitbagError {
  return new KitbagError('invalid-request', `${name} is "${found}": it must be ${allowed}`)
}
