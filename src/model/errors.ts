/** Stable error codes: the `code` of problem details, of CLI output and of operation errors. Status and exit code follow from them. */
export const errorCodes = {
  'invalid-blueprint': { status: 422, exit: 3 },
  'invalid-recipe': { status: 422, exit: 3 },
  'invalid-request': { status: 400, exit: 3 },
  'too-large': { status: 413, exit: 3 },
  unauthorized: { status: 401, exit: 3 },
  'not-found': { status: 404, exit: 1 },
  'method-not-allowed': { status: 405, exit: 1 },
  conflict: { status: 409, exit: 4 },
  'operation-running': { status: 409, exit: 4 },
  'plan-stale': { status: 409, exit: 4 },
  'idempotency-mismatch': { status: 422, exit: 4 },
  'precondition-failed': { status: 412, exit: 4 },
  'data-loss-refused': { status: 409, exit: 4 },
  'not-supported': { status: 422, exit: 3 },
  'machine-unreachable': { status: 502, exit: 5 },
  'host-key-mismatch': { status: 502, exit: 5 },
  'resource-failed': { status: 502, exit: 1 },
  'health-failed': { status: 502, exit: 1 },
  'provider-failed': { status: 502, exit: 1 },
  'capacity-exceeded': { status: 502, exit: 1 },
  'service-failed': { status: 502, exit: 1 },
  'control-plane-unreachable': { status: 503, exit: 5 },
  cancelled: { status: 409, exit: 1 },
  'prerequisite-missing': { status: 500, exit: 1 },
  internal: { status: 500, exit: 1 },
} as const satisfies Record<string, { status: number; exit: number }>

export type ErrorCode = keyof typeof errorCodes

/** One thing that is wrong with some input: where, what was found, what is allowed. */
export interface Problem {
  /** Path in the document as the user wrote it, e.g. `components.web.replicas`. */
  path: string
  message: string
  file?: string
  /** 1-based. */
  line?: number
  /** 1-based. */
  column?: number
  found?: string
  allowed?: string[]
  /** The known name nearest to an unknown one. */
  nearest?: string
}

export interface KitbagErrorOptions {
  cause?: unknown
  /** What the user can do about it; one sentence. */
  fix?: string
  problems?: Problem[]
  /** Whether the same call may succeed later without anybody changing anything. Default false. */
  retryable?: boolean
  /** Where it happened, for an operation's error. */
  machine?: string
  resource?: string
  /** Last lines of a failed command's output. */
  output?: string
}

/** The one error type that crosses seams. Its message names the place and what was found. */
export class KitbagError extends Error {
  override readonly name = 'KitbagError'
  readonly code: ErrorCode
  readonly fix: string | undefined
  readonly problems: Problem[]
  readonly retryable: boolean
  readonly machine: string | undefined
  readonly resource: string | undefined
  readonly output: string | undefined

  constructor(code: ErrorCode, message: string, options: KitbagErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = options.fix
    this.problems = options.problems ?? []
    this.retryable = options.retryable ?? false
    this.machine = options.machine
    this.resource = options.resource
    this.output = options.output
  }
}

/** An error as JSON: in operation rows, events and problem details. */
export interface ErrorRecord {
  code: ErrorCode
  message: string
  fix?: string
  problems?: Problem[]
  machine?: string
  resource?: string
  output?: string
}

/** Any thrown value as a record; what is not a KitbagError becomes `internal`. */
export function errorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof KitbagError)) {
    return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
  }
  const { code, message, fix, problems, machine, resource, output } = error
  return {
    code,
    message,
    ...(fix && { fix }),
    ...(problems.length > 0 && { problems }),
    ...(machine && { machine }),
    ...(resource && { resource }),
    ...(output && { output }),
  }
}
