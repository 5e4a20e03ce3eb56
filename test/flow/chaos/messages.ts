import { KitbagError } from '../../../src/model/errors.ts'
import type { Provider } from '../../../src/providers/contract.ts'

/** What a worker process needs to know at its start; in its environment as JSON. */
export interface WorkerSettings {
  socket: string
  /** base64 */
  masterKey: string
  home: string
  address: string
  namespace: string
  workflowBundle: string
}

/** Worker -> test. Each is answered with the same id. */
export type Ask =
  | { id: number; ask: 'call'; method: keyof Provider; args: unknown[] }
  | { id: number; ask: 'boundary'; name: string }

export interface Answer {
  id: number
  value?: unknown
  error?: { code: string; message: string; retryable: boolean }
}

export function errorOf(error: unknown): NonNullable<Answer['error']> {
  const { message } = error as Error
  return error instanceof KitbagError
    ? { code: error.code, message, retryable: error.retryable }
    : { code: 'internal', message, retryable: false }
}
