import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { redact } from '../lib/secret.ts'
import { type ErrorRecord, errorRecord, KitbagError } from '../model/errors.ts'

/** A failure that is recorded in rows: the workflow only learns that there is one. */
export function recordedFailure(record: ErrorRecord): ApplicationFailure {
  return ApplicationFailure.create({
    message: record.message,
    type: record.code,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  })
}

/** The try ended for a reason outside of the work (shutdown, database away): Temporal repeats it. */
export function repeatedFailure(message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: 'repeat',
    nonRetryable: false,
    category: ApplicationFailureCategory.BENIGN,
    ...(cause instanceof Error && { cause }),
  })
}

/** SQLSTATE classes of a server that is away, starting, full or that undid a transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const transientSqlState = /^(08|40|53|57|58)...$/
const transientSystemCode = /^(ECONN|EPIPE|ETIMEDOUT|ENOENT|EAI_AGAIN|ENOTCONN)/

/** Whether an error that is not Kitbag's own came from a database that is away for now. */
export function isStoreAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof KitbagError) return false
    const code = (cause as Error & { code?: unknown }).code
    if (typeof code === 'string' && (transientSqlState.test(code) || transientSystemCode.test(code))) return true
    if (/^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/.test(cause.message))
      return true
  }
  return false
}

/** An error as rows and events keep it: without the deployment's secrets. */
export function redactedRecord(error: unknown, secrets: string[]): ErrorRecord {
  return JSON.parse(redact(JSON.stringify(errorRecord(error)), secrets)) as ErrorRecord
}
