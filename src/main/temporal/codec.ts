import type { Payload, PayloadCodec } from '@temporalio/common'
import { decrypt, deriveKey, encrypt } from '../../lib/encryption.ts'

const encoding = 'binary/encrypted'

/**
 * Everything that passes through Temporal is sealed with AES-256-GCM under a key derived from the master key. What is not sealed, or
 * by another key, is refused: the embedded server lets anybody on this machine write to it.
 */
export function createPayloadCodec(masterKey: Buffer): PayloadCodec {
  const key = deriveKey(masterKey, 'temporal payloads')
  return {
    async encode(payloads) {
      return payloads.map((payload) => ({
        metadata: { encoding: Buffer.from(encoding) },
        data: encrypt(key, serialize(payload)),
      }))
    },
    async decode(payloads) {
      return payloads.map(({ metadata, data }) => {
        const found = metadata?.encoding ? Buffer.from(metadata.encoding).toString() : 'none'
        if (found !== encoding) throw refusal(found)
        return deserialize(decrypt(key, Buffer.from(data ?? [])))
      })
    },
  }
}

function refusal(found: string): Error {
  return new Error(
    `refused an unencrypted payload (encoding ${found}): only what Kitbag itself wrote is taken from the queue`,
  )
}

/** 4 bytes of length, the metadata as JSON (values in base64), the data. */
function serialize({ metadata, data }: Payload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  // Empty data comes out of the SDK as an ordinary array.
  return Buffer.concat([length, header, Buffer.from(data ?? [])])
}

function deserialize(bytes: Buffer): Payload {
  const end = 4 + bytes.readUInt32BE(0)
  const header = Object.entries(JSON.parse(bytes.subarray(4, end).toString()) as Record<string, string>)
  const metadata = Object.fromEntries(header.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  return { metadata, data: bytes.subarray(end) }
}
