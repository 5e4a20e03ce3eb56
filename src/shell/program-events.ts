import { z } from 'zod'
import { redact } from '../lib/secret.ts'
import { KitbagError } from '../model/errors.ts'
import type { ResourceEvent } from '../model/recipe.ts'

const resourceEvent = z.object({
  index: z.number().int(),
  resource: z.string(),
  status: z.enum(['ok', 'changed', 'failed']),
  changes: z.array(z.string()),
  diff: z.string().optional(),
  output: z.string().optional(),
})

const line = z.union([
  resourceEvent,
  z.object({ end: z.literal(true), changed: z.number().int(), stopped: z.boolean().optional() }),
  z.object({ lock: z.literal('waiting') }),
])

export interface ProgramEnd {
  changed: number
  /** It was asked to stop, and did so between two resources. */
  stopped: boolean
}

/** What a host program has said so far. */
export interface ProgramReport {
  events: ResourceEvent[]
  /** Absent: the program was cut, or still runs. */
  end?: ProgramEnd
}

export interface ReportOptions {
  nonce: string
  /** Values that no event may show. */
  secrets: string[]
  onEvent?: (event: ResourceEvent) => void
  /** Another program holds the machine's lock. */
  onLockWait?: () => void
}

/**
 * Reads a program's standard output, line by line: what does not begin with the nonce is a command's noise. Throws `internal` on a
 * line that does and is no event.
 */
export function createReport({ nonce, secrets, onEvent, onLockWait }: ReportOptions) {
  const report: ProgramReport = { events: [] }
  const prefix = `${nonce} `
  function onLine(text: string): void {
    if (!text.startsWith(prefix)) return
    const said = parse(text.slice(prefix.length))
    if ('end' in said) report.end = { changed: said.changed, stopped: said.stopped === true }
    else if ('lock' in said) onLockWait?.()
    else {
      const event = withoutSecrets(said, secrets)
      report.events.push(event)
      onEvent?.(event)
    }
  }
  return { report, onLine }
}

function parse(text: string): z.infer<typeof line> {
  try {
    return line.parse(JSON.parse(text))
  } catch (cause) {
    throw new KitbagError('internal', `a host program wrote an event that cannot be read: ${text.slice(0, 200)}`, {
      cause,
    })
  }
}

function withoutSecrets({ diff, output, ...event }: z.infer<typeof resourceEvent>, secrets: string[]): ResourceEvent {
  return {
    ...event,
    changes: event.changes.map((change) => redact(change, secrets)),
    ...(diff !== undefined && { diff: redact(diff, secrets) }),
    ...(output !== undefined && { output: redact(output, secrets) }),
  }
}
