import type { z } from 'zod'
import { nearest } from '../lib/nearest.ts'
import type { Problem } from '../model/errors.ts'
import { isConcat, isReference } from '../model/value.ts'
import type { BlueprintDocument, Path } from './document.ts'

/** Collects problems with their places. */
export class Problems {
  readonly list: Problem[] = []
  readonly #document: BlueprintDocument

  constructor(document: BlueprintDocument) {
    this.#document = document
  }

  add(
    path: Path,
    message: string,
    more: { found?: string; allowed?: string[]; unknown?: string; at?: 'value' | 'key' } = {},
  ): void {
    const { unknown, allowed, found = unknown, at } = more
    const near = unknown !== undefined && allowed ? nearest(unknown, allowed) : undefined
    const text = pathText(path)
    if (this.list.some((problem) => problem.path === text && problem.message === message)) return
    this.list.push({
      path: text,
      message,
      ...this.#document.place(path, at),
      ...(found !== undefined && { found }),
      ...(allowed && { allowed }),
      ...(near !== undefined && { nearest: near }),
    })
  }

  /** Issues of a zod schema whose value stands at `base`. */
  addIssues(base: Path, issues: z.core.$ZodIssue[], value: unknown): void {
    for (const issue of issues) this.#addIssue(base, issue, value)
  }

  #addIssue(base: Path, issue: z.core.$ZodIssue, value: unknown): void {
    const inner = issue.path as Path
    const path = [...base, ...inner]
    const found = at(value, inner)
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        this.add([...path, key], `unknown field ${key}`, { unknown: key, at: 'key', allowed: fieldsOf(issue) })
    } else if (isReference(found) || isConcat(found)) {
      this.add(path, 'what is known only after the deployment cannot stand here; only ${parameters.NAME} can')
    } else if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const deepest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? []
      if (depth(deepest) > 0) for (const nested of deepest) this.#addIssue(path, nested, found)
      else
        this.add(
          path,
          issue.message === 'Invalid input' ? `not of an allowed form: ${deepest[0]?.message ?? ''}` : issue.message,
          { found: show(found) },
        )
    } else if (found === undefined && issue.code === 'invalid_type') {
      this.add(path, `${inner.at(-1) ?? 'it'} is required`)
    } else if (issue.code === 'invalid_value') {
      const allowed = issue.values.map(String)
      this.add(path, `${show(found)} is not allowed`, { unknown: String(found), allowed })
    } else this.add(path, issue.message, { found: show(found) })
  }
}

function depth(issues: z.core.$ZodIssue[]): number {
  return Math.max(
    0,
    ...issues.map((issue) => (issue.code === 'unrecognized_keys' ? issue.path.length + 1 : issue.path.length)),
  )
}

/** Known fields travel in the issue's message parameters (see schema.ts). */
function fieldsOf(issue: z.core.$ZodIssue): string[] {
  const known = /known: (.*)$/.exec(issue.message)?.[1]
  return known ? known.split(', ') : []
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value)
}

/** A found value for people, short. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** `components.web.ports[0]`. */
export function pathText(path: Path): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('')
}
