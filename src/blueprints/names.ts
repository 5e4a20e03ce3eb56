import { componentNameSchema } from '../model/ids.ts'
import { machineName } from '../model/machine.ts'
import type { Path } from './path.ts'
import type { Problems } from './problems.ts'

/** Roots of expressions, scopes of overrides, and words that the CLI and the API have another use for. */
const reserved = ['parameters', 'secrets', 'overrides', 'placement', 'scale']
/** Host names end at 63 characters, and an ordinal has to fit. */
const maxHostName = 56

const hostName = (name: string) => machineName(name, 1).slice(0, -2)

/** Names of components and services, which are one namespace: also as host names, where upper case is written with hyphens. */
export class Names {
  readonly #taken = new Map<string, string>()
  readonly #problems: Problems
  readonly #kinds: string[]

  constructor(kinds: string[], problems: Problems) {
    this.#kinds = kinds
    this.#problems = problems
  }

  /** Takes a name, or says why it cannot be had. `kind`: the service whose own name it may be. */
  take(name: string, path: Path, kind?: string): void {
    const fault = this.#fault(name, kind)
    if (fault === undefined) this.#taken.set(hostName(name), name)
    else this.#problems.add(path, fault, { found: name.slice(0, 60), at: kind === undefined ? 'key' : 'value' })
  }

  #fault(name: string, kind: string | undefined): string | undefined {
    const parsed = componentNameSchema.safeParse(name)
    if (!parsed.success) return `the name ${name.slice(0, 60)} is not allowed: ${parsed.error.issues[0]?.message}`
    const host = hostName(name)
    if (host.length > maxHostName) return `the name ${name} is too long as a host name: ${host}-1`
    if (reserved.includes(name) || (name !== kind && this.#kinds.includes(name))) return `the name ${name} is reserved`
    const other = this.#taken.get(host)
    if (other === undefined) return undefined
    if (other !== name) return `the names ${name} and ${other} give the same host names`
    return `the name ${name} is taken: components and services share one namespace`
  }
}
