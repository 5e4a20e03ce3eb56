import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { MachineAccess } from '../../../src/model/machine.ts'

export interface FaultyProxy {
  /** The same machine, reached through the proxy. */
  machine: MachineAccess
  /** Connections accepted so far; open now. */
  accepted: number
  open: number
  /** Cuts each connection made from now on when so many bytes have gone either way. */
  cutAfter: number
  /** From now on nothing gets through, and nobody is told: as when a machine loses its power. */
  freeze(): void
  close(): Promise<void>
}

/** Stands before a server and misbehaves when told. */
export async function startProxy(machine: MachineAccess): Promise<FaultyProxy> {
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer((near) => {
    const far = connect(machine.port, machine.address)
    proxy.accepted++
    proxy.open++
    let left = proxy.cutAfter
    const cut = () => {
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('error', cut)
      from.on('close', () => {
        sockets.delete(from)
        if (!frozen) to.destroy()
      })
      from.on('data', (chunk: Buffer) => {
        if (frozen) return
        to.write(chunk.subarray(0, Math.max(0, left)))
        left -= chunk.length
        if (left <= 0) cut()
      })
    }
    near.on('close', () => proxy.open--)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy: FaultyProxy = {
    machine: { ...machine, id: `mac_proxy_${port}`, port },
    accepted: 0,
    open: 0,
    cutAfter: Number.POSITIVE_INFINITY,
    freeze() {
      frozen = true
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
  return proxy
}
