import { readFileSync } from 'node:fs'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import type { Log } from '../../lib/log.ts'
import { KitbagError } from '../../model/errors.ts'
import { createDataConverter } from './data-converter.ts'
import { installRuntime } from './runtime.ts'

/** How to reach a Temporal cluster. */
export interface TemporalTarget {
  /** host:port */
  address: string
  namespace: string
  /** true: the system's certificate authorities. Otherwise paths of PEM files. */
  tls?: true | { ca?: string; cert?: string; key?: string }
  apiKey?: string
}

export interface TemporalConnection {
  connection: NativeConnection
  client: Client
  close(): Promise<void>
}

/** Connects a worker's connection, which the client shares. Throws `prerequisite-missing` naming the address. */
export async function connectTemporal(
  target: TemporalTarget,
  masterKey: Buffer,
  log: Log,
): Promise<TemporalConnection> {
  installRuntime(log)
  const { address, namespace, tls, apiKey } = target
  let connection: NativeConnection
  try {
    connection = await NativeConnection.connect({
      address,
      ...(tls && { tls: tlsOptions(tls) }),
      ...(apiKey && { apiKey }),
    })
  } catch (cause) {
    throw new KitbagError('prerequisite-missing', `no Temporal server answers at ${address}`, {
      cause,
      fix: 'Check TEMPORAL_ADDRESS (and TEMPORAL_TLS, TEMPORAL_API_KEY), or leave it out to use the embedded one.',
    })
  }
  const client = new Client({ connection, namespace, dataConverter: createDataConverter(masterKey) })
  return { connection, client, close: () => connection.close() }
}

function tlsOptions(tls: NonNullable<TemporalTarget['tls']>) {
  if (tls === true) return true
  const { ca, cert, key } = tls
  return {
    ...(ca && { serverRootCACertificate: readFileSync(ca) }),
    ...(cert && key && { clientCertPair: { crt: readFileSync(cert), key: readFileSync(key) } }),
  }
}
