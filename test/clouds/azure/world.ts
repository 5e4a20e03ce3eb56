import { randomUUID } from 'node:crypto'
import { ArmError, type Json } from './arm-error.ts'

/** A resource as it is stored: what was put, and what the cloud decided. */
export interface Resource {
  id: string
  /** `Microsoft.Network/virtualNetworks` */
  type: string
  name: string
  group: string
  location: string
  tags: Record<string, string>
  etag: string
  zones?: string[]
  sku?: Json
  priority?: string
  /** As put, with what the cloud adds. */
  properties: Json
  state: 'Creating' | 'Updating' | 'Succeeded' | 'Failed' | 'Deleting'
  failure?: { code: string; message: string }
}

export interface Operation {
  id: string
  status: 'InProgress' | 'Succeeded' | 'Failed'
  error?: { code: string; message: string }
}

export interface Group {
  name: string
  location: string
  tags: Record<string, string>
  state: 'Succeeded' | 'Deleting'
}

/** Everything that exists at the test cloud. Names compare without case, as Azure's do. */
export class World {
  readonly groups = new Map<string, Group>()
  readonly resources = new Map<string, Resource>()
  readonly operations = new Map<string, Operation>()
  readonly #pending = new Set<Promise<void>>()

  group(name: string): Group {
    const group = this.groups.get(name.toLowerCase())
    if (group) return group
    throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`)
  }

  find(id: string): Resource | undefined {
    return this.resources.get(id.toLowerCase())
  }

  put(resource: Resource): void {
    this.resources.set(resource.id.toLowerCase(), resource)
  }

  remove(id: string): void {
    this.resources.delete(id.toLowerCase())
  }

  list(type: string, group?: string): Resource[] {
    return [...this.resources.values()].filter(
      (resource) =>
        resource.type.toLowerCase() === type.toLowerCase() &&
        (group === undefined || resource.group.toLowerCase() === group.toLowerCase()),
    )
  }

  /** Resources that name an id, or something below it, in what was put. */
  dependants(id: string): Resource[] {
    const own = id.toLowerCase()
    return [...this.resources.values()].filter((resource) => {
      if (resource.id.toLowerCase() === own) return false
      return idsIn(resource.properties).some((other) => other === own || other.startsWith(`${own}/`))
    })
  }

  /** Starts a long-running operation: `work` ends it, well or with an error. */
  start(work: () => Promise<{ code: string; message: string } | undefined>): Operation {
    const operation: Operation = { id: randomUUID(), status: 'InProgress' }
    this.operations.set(operation.id, operation)
    const done = work().then(
      (error) => {
        operation.status = error ? 'Failed' : 'Succeeded'
        if (error) operation.error = error
      },
      (error: Error) => {
        operation.status = 'Failed'
        operation.error = { code: 'InternalExecutionError', message: error.message }
      },
    )
    this.#pending.add(done)
    void done.then(() => this.#pending.delete(done))
    return operation
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}

/** Every resource id below a value, in lower case. */
export function idsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'id' && typeof inner === 'string' && inner.startsWith('/') ? [inner.toLowerCase()] : idsIn(inner),
  )
}
