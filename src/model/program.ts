import type { ResourceEvent } from './recipe.ts'

/** A program for `sh` on the machine: fed through standard input, never as an argument. Compiled by recipes/, run by shell/. */
export interface HostProgram {
  text: string
  /** Stands before each event line; made anew per program, so command output cannot forge one. */
  nonce: string
  resources: { index: number; resource: string }[]
  /** Blobs that must lie on the machine, under this path, before it runs. */
  artifacts: { digest: string; path: string }[]
}

export interface CompileOptions {
  /** `check` changes nothing and reports diffs. */
  mode: 'apply' | 'check'
  /** Values that diffs and outputs must not show. */
  secrets: string[]
  /** Notifications to leave out, `reload:haproxy`: what they would bring into force already is. */
  suppress?: string[]
}

export interface ProgramResult {
  events: ResourceEvent[]
  changed: number
}
