import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Whether a port of 127.0.0.1 can be listened on; 0 asks for any. Returns the port, or undefined when it is taken. */
export async function claimablePort(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : undefined
  } catch {
    return undefined
  } finally {
    server.close()
  }
}

/** Different free ports of 127.0.0.1. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = await claimablePort(0)
    if (port !== undefined) found.add(port)
  }
  return [...found]
}

/** Rejects unless something listens at host:port. */
export async function listening(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect({ host: hostname, port: Number(port) })
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
