import type { Readable } from 'node:stream'
import type { Client } from '../api/client.ts'

/** Sends the archives that the server does not have. */
export async function upload(client: Client, archives: { digest: string; stream(): Readable }[]): Promise<void> {
  if (archives.length === 0) return
  const { missing } = await client.json<{ missing: string[] }>('POST', '/v1/blobs/missing', {
    digests: archives.map(({ digest }) => digest),
  })
  for (const { digest, stream } of archives.filter((archive) => missing.includes(archive.digest))) {
    await client.call('PUT', `/v1/blobs/${digest}`, { raw: stream() })
  }
}
