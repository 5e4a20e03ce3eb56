import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'

/** Milliseconds to wait for an answer. */
const timeout = 500

/** IPv4 addresses that a name server answers for a name, sorted; none when it does not answer in time. */
export function askAddresses(server: string, name: string): Promise<string[]> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    const end = (addresses: string[]) => {
      clearTimeout(timer)
      socket.close()
      resolve(addresses)
    }
    const timer = setTimeout(end, timeout, [])
    socket.on('error', () => end([]))
    socket.on('message', (message) => {
      const { answers = [] } = decode(message)
      end(answers.flatMap((answer) => (answer.type === 'A' ? [answer.data] : [])).sort())
    })
    socket.send(encode({ type: 'query', id: 7, questions: [{ name, type: 'A' }] }), 53, server)
  })
}
