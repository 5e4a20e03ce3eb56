import ssh2 from 'ssh2'
import { generateKeyPair } from '../../../src/shell/keys.ts'

export interface KeyPair {
  privateKey: string
  publicKey: string
}

export function newKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPair('kitbag-test')
  return { privateKey, publicKey }
}

export interface Login {
  address: string
  user?: string
  /** Password instead of the key. */
  password?: string
  privateKey: string
  hostKey: string
}

/** Runs one command over a connection of its own. Rejects when the login, or the host key, is refused. */
export function runOver(login: Login, command: string): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.on('error', reject)
    client.on('close', () => reject(new Error(`connection to ${login.address} closed`)))
    client.on('ready', () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error)
        let output = ''
        const add = (chunk: Buffer) => {
          output += chunk
        }
        channel.on('data', add)
        channel.stderr.on('data', add)
        channel.on('close', (status: number) => {
          client.end()
          resolve({ status, output: output.trim() })
        })
      })
    })
    client.connect({
      host: login.address,
      username: login.user ?? 'debian',
      readyTimeout: 20_000,
      // A machine that is cut off says nothing any more.
      keepaliveInterval: 1000,
      keepaliveCountMax: 15,
      ...(login.password === undefined ? { privateKey: login.privateKey } : { password: login.password }),
      hostVerifier: (key: Buffer) => key.toString('base64') === login.hostKey.split(' ')[1],
    })
  })
}

/** The same, tried again until the machine lets us in. */
export async function runOnceUp(login: Login, command: string, timeout = 120_000): Promise<string> {
  const end = Date.now() + timeout
  for (;;) {
    try {
      const { status, output } = await runOver(login, command)
      if (status !== 0) throw new Error(`${command} ended with ${status}: ${output}`)
      return output
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
