import { nearest } from '../lib/nearest.ts'
import type { Problem } from '../model/errors.ts'
import type { BlueprintDocument } from './document.ts'
import { type Path, pathText } from './path.ts'

/** More than anybody reads at once; the rest is counted. */
const maxProblems = 200

export interface ProblemDetails {
  found?: string
  allowed?: readonly string[]
  /** What was found, when it is a name that is none of `allowed`: the nearest of them is told. */
  unknown?: string
  /** Whether it stands at the key or at the value; default the value. */
  at?: 'value' | 'key'
}

/** Collects problems with their places. */
export class Problems {
  readonly #list: Problem[] = []
  readonly #known = new Set<string>()
  readonly #muted = new Set<string>()
  readonly #document: BlueprintDocument
  #dropped = 0

  constructor(document: BlueprintDocument) {
    this.#document = document
  }

  get any(): boolean {
    return this.#list.length > 0
  }

  /** How many there are beside those in `sorted`. */
  get dropped(): number {
    return this.#dropped
  }

  /** In the order of the text. */
  sorted(): Problem[] {
    return [...this.#list].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  }

  /** What stands at this path is not the user's: its reason was told elsewhere, so nothing more is said about it. */
  mute(path: Path): void {
    this.#muted.add(pathText(path))
  }

  add(path: Path, message: string, { unknown, allowed, found = unknown, at }: ProblemDetails = {}): void {
    const text = pathText(path)
    const id = `${text}\n${message}`
    if (this.#known.has(id) || this.#isMuted(path)) return
    this.#known.add(id)
    if (this.#list.length >= maxProblems) {
      this.#dropped++
      return
    }
    const near = unknown !== undefined && allowed ? nearest(unknown, [...allowed]) : undefined
    this.#list.push({
      path: text,
      message,
      ...this.#document.place(path, at),
      ...(found !== undefined && { found }),
      ...(allowed && { allowed: [...allowed] }),
      ...(near !== undefined && { nearest: near }),
    })
  }

  #isMuted(path: Path): boolean {
    if (this.#muted.size === 0) return false
    return path.some((_, i) => this.#muted.has(pathText(path.slice(0, i + 1))))
  }

  /** A scalar as it is written, without quotes. */
  plainText(path: Path): string | undefined {
    return this.#document.plainText(path)
  }
}

/** A found value for people, short. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
