import type { Store } from '../db/store.ts'
import { redact } from '../lib/secret.ts'
import type { OperationEvent } from '../model/operation.ts'

type Event = { type: OperationEvent['type']; data: Record<string, unknown> }

/** Milliseconds between two writes: a program may report hundreds of resources a second. */
const interval = 200

/** Appends to an operation's story in batches and in order, secrets blanked out. */
export interface EventSink {
  add(event: Event): void
  /** Values to blank out from now on. */
  hide(secrets: string[]): void
  /** Every value hidden so far. */
  secrets(): string[]
  /** Returns when everything added so far is stored. */
  flush(): Promise<void>
}

export function createEventSink(store: Pick<Store, 'operations'>, operationId: string): EventSink {
  const hidden = new Set<string>()
  let waiting: Event[] = []
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  const write = () => {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    // A failed write of progress must not fail the work; the next flush of rows that matter will tell.
    writing = writing.then(() => store.operations.appendEvents(operationId, batch)).catch(() => undefined)
  }
  return {
    add(event) {
      waiting.push(JSON.parse(redact(JSON.stringify(event), [...hidden])) as Event)
      timer ??= setTimeout(write, interval)
    },
    hide(secrets) {
      for (const secret of secrets) hidden.add(secret)
    },
    secrets: () => [...hidden],
    async flush() {
      write()
      await writing
    },
  }
}
