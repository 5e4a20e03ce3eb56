import { once } from 'node:events'
import pg from 'pg'
import { sleep } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { connectionOptions, type DatabaseAddress } from './database.ts'

export const channel = 'kitbag'

/** How long after an announcement a new wait on its topic is woken by it once more: it may have come between reading and waiting. */
const grace = 100
/** Milliseconds until a lost connection is tried again. */
const pause = 500

export interface Listener {
  changed(topic: string, options: { timeout: number; signal?: AbortSignal }): Promise<void>
  close(): Promise<void>
}

/** One connection that listens for all waits of this process; made at the first wait, replaced when lost. */
export function createListener(address: DatabaseAddress, log: Log): Listener {
  const waiting = new Map<string, Set<() => void>>()
  const announced = new Map<string, number>()
  const closing = new AbortController()
  let running: Promise<void> | undefined

  function wake(topic: string): void {
    for (const resolve of waiting.get(topic) ?? []) resolve()
  }

  function announce(topic: string): void {
    const now = Date.now()
    for (const [old, at] of announced) if (now - at > grace) announced.delete(old)
    announced.set(topic, now)
    wake(topic)
  }

  /** Returns when the connection is lost or the listener closes. */
  async function listenOnce(): Promise<void> {
    const client = new pg.Client(connectionOptions(address))
    const ended = once(client, 'end', { signal: closing.signal }).catch(() => {})
    client.on('error', (error) => log.debug('the listening connection was lost', { reason: error.message }))
    client.on('notification', ({ payload }) => payload && announce(payload))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      // Whatever was announced while there was no connection is unknown: let everybody look.
      for (const topic of [...waiting.keys()]) wake(topic)
      await ended
    } catch (error) {
      log.debug('cannot listen for changes', { reason: error instanceof Error ? error.message : String(error) })
    } finally {
      await client.end().catch(() => {})
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await listenOnce()
      await sleep(pause, closing.signal).catch(() => {})
    }
  }

  return {
    async changed(topic, { timeout, signal }) {
      if (closing.signal.aborted || signal?.aborted) return
      running ??= run()
      const recent = announced.get(topic)
      const left = recent === undefined ? 0 : recent + grace - Date.now()
      await new Promise<void>((resolve) => {
        const topicWaiting = waiting.get(topic) ?? new Set()
        const done = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', done)
          topicWaiting.delete(done)
          if (topicWaiting.size === 0 && waiting.get(topic) === topicWaiting) waiting.delete(topic)
          resolve()
        }
        const timer = setTimeout(done, left > 0 ? Math.min(timeout, left) : timeout)
        signal?.addEventListener('abort', done, { once: true })
        waiting.set(topic, topicWaiting.add(done))
      })
    },
    async close() {
      closing.abort()
      for (const topic of [...waiting.keys()]) wake(topic)
      await running
    },
  }
}
