import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { KitbagError } from '../../src/model/errors.ts'
import type { Reach } from '../../src/model/reach.ts'
import type { ReadContext } from '../../src/toolkit/contract.ts'
import { type MonitoringSpec, monitoringSchema } from '../../src/toolkit/monitoring/schema.ts'

/** What a daemon answers to a path; undefined: nothing, ever. */
export type Behaviour = (path: string) => { status?: number; body: string } | undefined

export interface Daemons {
  /** Machine -> what every port of it answers; absent: its ports are closed. */
  behaviours: Map<string, Behaviour | undefined>
  /** Lists that were posted as JSON. */
  posted: { machine: string; path: string; body: unknown }[]
  /** As a read of monitoring has it, on machines of these names. */
  context(...names: string[]): ReadContext<MonitoringSpec>
  close(): void
}

/** Machines whose daemons answer as a test says, over real connections. */
export async function startDaemons(): Promise<Daemons> {
  const behaviours: Daemons['behaviours'] = new Map()
  const posted: Daemons['posted'] = []
  const machineOf = new Map<number, string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const machine = machineOf.get(request.socket.remotePort ?? 0) ?? ''
    const text = Buffer.concat(chunks).toString()
    if (text.startsWith('[')) posted.push({ machine, path: request.url ?? '', body: JSON.parse(text) })
    const answer = behaviours.get(machine)?.(request.url ?? '')
    if (!answer) return
    response.statusCode = answer.status ?? 200
    response.end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const reach = {
    connectTcp: async ({ name }: { name: string }) => {
      if (!behaviours.get(name))
        throw new KitbagError('service-failed', `${name}: connection refused`, { machine: name, retryable: true })
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      machineOf.set(socket.localPort ?? 0, name)
      return socket
    },
  } as unknown as Reach
  return {
    behaviours,
    posted,
    context: (...names) => ({
      service: 'monitoring',
      spec: monitoringSchema.parse({}),
      reach,
      machines: names.map((name) => ({ id: name, name, address: '10.0.0.9', port: 22, user: 'debian', hostKey: '' })),
      unsettled: new Set(),
      parameters: async () => ({}),
      outside: async () => [],
    }),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
