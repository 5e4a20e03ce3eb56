import { packFiles } from '../../src/lib/archive/pack.ts'
import { sha256 } from '../../src/lib/digest.ts'
import type { TestControlPlane } from './control-plane.ts'

/** An operation as the API gives it. */
export interface Operated {
  id: string
  status: string
  error?: { message: string; output?: string }
  result?: {
    units?: number
    behind?: { machine: string; message: string }[]
    drift?: { machine: string; resource: string; changes: string[] }[]
  }
}

/** What a user does with a control plane's API. */
export interface ApiUser {
  /** Throws what it refuses: `PUT /v1/...: 400 {...}`. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** Waits for an operation's end. */
  ended(operation: Pick<Operated, 'id'>): Promise<Operated>
  /** The same; throws with its words unless it succeeded. */
  succeeded(operation: Pick<Operated, 'id'>): Promise<Operated>
  /** Uploads a folder; gives its digest. */
  upload(files: Record<string, string>): Promise<string>
  /** Removes what is left at the clouds though no deployment has it; gives what that was: nothing, as a rule. */
  swept(): Promise<string[]>
}

/** Of the control plane that there is at each call. */
export function apiUser(plane: () => Pick<TestControlPlane, 'request' | 'url' | 'token'>): ApiUser {
  const user: ApiUser = {
    async call<T>(method: string, path: string, body?: unknown) {
      const response = await plane().request(method, path, body)
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 3000)}`)
      return JSON.parse(text) as T
    },
    async ended({ id }) {
      for (;;) {
        const operation = await user.call<Operated>('GET', `/v1/operations/${id}?wait=30s`)
        if (['succeeded', 'failed', 'cancelled'].includes(operation.status)) return operation
      }
    },
    async succeeded(operation) {
      const ended = await user.ended(operation)
      const { status, error } = ended
      if (status !== 'succeeded') throw new Error(`${status}: ${error?.message}\n${error?.output ?? ''}`)
      return ended
    },
    async upload(files) {
      const contents = Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const)
      const archive = await packFiles(Object.fromEntries(contents))
      const digest = sha256(archive)
      const { url, token } = plane()
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-tar' }
      const answer = await fetch(`${url}/v1/blobs/${digest}`, { method: 'PUT', headers, body: new Uint8Array(archive) })
      if (!answer.ok) throw new Error(`the files were not taken: ${answer.status} ${await answer.text()}`)
      return digest
    },
    async swept() {
      const { machines, residue } = await user.call<{ machines: { id: string }[]; residue: string[] }>(
        'POST',
        '/v1/sweep',
        { remove: true },
      )
      return [...machines.map(({ id }) => id), ...residue]
    },
  }
  return user
}
