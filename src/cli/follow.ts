import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '../api/client.ts'
import { KitbagError } from '../model/errors.ts'
import { liveTree } from './live-tree.ts'
import { isFinal, type OperationBody } from './operation.ts'
import { type Progress, plainProgress } from './progress.ts'

/** Tries, a second apart, to take up a cut stream again. */
const mostFailures = 30

function progressFor(quiet: boolean): Progress | undefined {
  if (quiet) return undefined
  if (process.stderr.isTTY && !process.env.CI) return liveTree(process.stderr)
  return plainProgress((text) => process.stderr.write(text))
}

function watchEnded(id: string): KitbagError {
  return new KitbagError('cancelled', `no longer watching ${id}; it goes on`, {
    fix: `Run the same command again to come back to it, or cancel it: kitbag cancel ${id}`,
  })
}

/**
 * Shows an operation until it ends; a cut connection is taken up again where it was. Ctrl-C leaves it running: throws `cancelled` with
 * how to come back and how to cancel.
 */
export async function follow(client: Client, id: string, quiet: boolean): Promise<OperationBody> {
  const detached = new AbortController()
  const detach = () => detached.abort()
  process.on('SIGINT', detach)
  const progress = progressFor(quiet)
  let lastId: string | undefined
  try {
    for (let failures = 0; ; ) {
      try {
        for await (const { id: seq, event, data } of client.events(`/v1/operations/${id}/events`, {
          signal: detached.signal,
          ...(lastId !== undefined && { lastId }),
        })) {
          if (seq !== undefined) lastId = seq
          failures = 0
          if (event !== 'end') progress?.event(event, (JSON.parse(data) as { data: Record<string, unknown> }).data)
        }
        const operation = await client.json<OperationBody>('GET', `/v1/operations/${id}`)
        if (isFinal(operation.status)) return operation
      } catch (error) {
        if (detached.signal.aborted) throw watchEnded(id)
        if (++failures > mostFailures) throw error
        await wait(1000, undefined, { signal: detached.signal }).catch(() => {
          throw watchEnded(id)
        })
      }
    }
  } finally {
    process.removeListener('SIGINT', detach)
    progress?.end()
  }
}
