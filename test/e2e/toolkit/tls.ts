import { connect, type TLSSocket } from 'node:tls'

/** What a client of TLS sees: the certificate's names, the protocol that was agreed on. */
export async function handshake(
  host: string,
  port: number,
  servername: string,
  options: { alpn?: string[]; maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<{ names: string; fingerprint: string; alpn: string | false | null; version: string | null }> {
  const socket = await tlsSocket(host, port, servername, options)
  try {
    const { subjectaltname = '', fingerprint } = socket.getPeerCertificate()
    return { names: subjectaltname, fingerprint, alpn: socket.alpnProtocol, version: socket.getProtocol() }
  } finally {
    socket.destroy()
  }
}

/** An open connection; whatever certificate is shown is taken. */
export function tlsSocket(
  host: string,
  port: number,
  servername: string,
  {
    alpn = ['http/1.1'],
    maxVersion = 'TLSv1.3',
  }: { alpn?: string[]; maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const minVersion = maxVersion === 'TLSv1.1' ? 'TLSv1.1' : 'TLSv1.2'
    const options = {
      host,
      port,
      servername,
      ALPNProtocols: alpn,
      rejectUnauthorized: false,
      minVersion,
      maxVersion,
    } as const
    const socket = connect(options, () => resolve(socket))
    socket.setTimeout(60_000, () => socket.destroy(new Error('no handshake within 60 s')))
    socket.once('error', reject)
  })
}
