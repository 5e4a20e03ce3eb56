import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface MailReceiver {
  port: number
  /** Whole messages, header and text, as they came. */
  mails: { from: string; to: string[]; text: string }[]
  close(): Promise<void>
}

/** A mail server that takes everything for anybody: enough of SMTP (RFC 5321) for a client to leave its mail. */
export async function startMailReceiver(): Promise<MailReceiver> {
  const mails: MailReceiver['mails'] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    converse(socket, mails)
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function converse(socket: Socket, mails: MailReceiver['mails']): void {
  let pending = ''
  let from = ''
  let to: string[] = []
  let inData = false
  const say = (line: string) => socket.write(`${line}\r\n`)
  say('220 receiver.test ESMTP')
  socket.on('data', (chunk) => {
    pending += chunk.toString()
    for (;;) {
      const mark = inData ? '\r\n.\r\n' : '\r\n'
      const end = pending.indexOf(mark)
      if (end < 0) return
      const text = pending.slice(0, end)
      pending = pending.slice(end + mark.length)
      if (inData) {
        inData = false
        mails.push({ from, to, text })
        to = []
        say('250 taken')
      } else if (/^MAIL FROM:/i.test(text)) {
        from = /<(.*?)>/.exec(text)?.[1] ?? ''
        say('250 ok')
      } else if (/^RCPT TO:/i.test(text)) {
        to.push(/<(.*?)>/.exec(text)?.[1] ?? '')
        say('250 ok')
      } else if (/^DATA/i.test(text)) {
        inData = true
        say('354 go on')
      } else if (/^QUIT/i.test(text)) {
        say('221 bye')
        socket.end()
      } else say('250 ok')
    }
  })
}
