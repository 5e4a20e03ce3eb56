import { type ErrorCode, type ErrorRecord, errorCodes } from './errors.ts'

/** An error as a client is told it: problem details (RFC 9457) with Kitbag's stable `code` and its other members. */
export interface ProblemDetails extends Omit<ErrorRecord, 'message'> {
  /** `urn:kitbag:problem:not-found` */
  type: string
  title: string
  /** HTTP status. */
  status: number
  detail: string
}

/** An error record as problem details. `status`: where it is another than the code's own. */
export function problemDetailsOf({ message, ...record }: ErrorRecord, status?: number): ProblemDetails {
  return {
    type: `urn:kitbag:problem:${record.code}`,
    title: titleOf(record.code),
    status: status ?? errorCodes[record.code].status,
    detail: message,
    ...record,
  }
}

/** `invalid-blueprint` -> `Invalid blueprint` */
function titleOf(code: ErrorCode): string {
  const words = code.replaceAll('-', ' ')
  return `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`
}
