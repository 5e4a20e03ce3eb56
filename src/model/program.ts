import type { ResourceEvent } from './recipe.ts'

/** A program for `sh` on the machine: fed through standard input, never as an argument. Compiled by recipes/, run by shell/. */
export interface HostProgram {
  text: string
  /** Stands before each event line; made anew per program, so command output cannot forge one. */
  nonce: string
  /** `unchecked`: no check looks for it. */
  resources: { index: number; resource: string; unchecked?: true }[]
  /** What must lie on the machine before it runs. */
  artifacts: Artifact[]
}

export interface Artifact {
  /** sha256 of its content. */
  digest: string
  path: string
  /** The content; absent: the blob of that digest. */
  bytes?: Buffer
  /** Not needed where this file holds the content already. */
  unless?: string
}

export interface CompileOptions {
  /** `check` changes nothing and reports diffs. */
  mode: 'apply' | 'check'
  /** Values that diffs and outputs must not show. */
  secrets: string[]
  /** It is one part of what the machine has: the others stay as they are. Default false. */
  part?: boolean
  /** It is for a component that shares the machine: what it puts there is noted, so that it can leave. Default false. */
  guest?: boolean
  /** Notifications to leave out, `reload:haproxy`: what they would bring into force already is. */
  suppress?: string[]
  /** Everything is listed on the machine before it is put there, so that it can be taken away. Default false. */
  manifest?: boolean
}

export interface ProgramResult {
  events: ResourceEvent[]
  changed: number
}
