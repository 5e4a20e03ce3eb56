import type { Readable } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import type { ExecOptions } from '../model/reach.ts'

/**
 * Sends a command's input, no faster than the machine takes it, and closes it. By hand, because ssh2's channels never call back a
 * write that a closed channel swallowed, which `pipeline` would wait for. Returns how to stop.
 */
export function feed(channel: ClientChannel, input: ExecOptions['stdin'], fail: (error: unknown) => void): () => void {
  if (input === undefined || typeof input === 'string' || Buffer.isBuffer(input)) {
    channel.end(input)
    return () => {}
  }
  const source = input as Readable
  let over = false
  const resume = () => source.resume()
  source.on('data', (chunk: Buffer | string) => {
    if (!over && !channel.write(chunk)) source.pause()
  })
  source.once('end', () => {
    if (!over) channel.end()
  })
  source.once('error', (error) => {
    if (!over) fail(error)
  })
  channel.on('drain', resume)
  return () => {
    if (over) return
    over = true
    channel.off('drain', resume)
    source.destroy?.()
  }
}
