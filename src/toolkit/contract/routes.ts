import type { z } from 'zod'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import type { JsonObject } from '../../model/json.ts'
import type { MachineFact } from '../../model/recipe.ts'
import type { Archives, ControlContext, Overrides } from './control.ts'
import type { WatchReader } from './watch.ts'

/** What a read gets beside: the recipe's parameters with their references resolved, secrets blanked out. */
export interface ReadContext<Spec> extends ControlContext<Spec> {
  parameters(): Promise<Record<string, unknown>>
  /** Its machines as the world finds them, which may be at other addresses than Kitbag does. */
  outside(): Promise<MachineFact[]>
  /** Of a service that watches. */
  watch?: WatchReader
}

export interface ToolkitCommand {
  name: string
  summary: string
  /** The CLI command that it is a word of; default: the service's. */
  command?: string
  /** Fields of the query or the body that last arguments fill, in order. */
  arguments?: string[]
  /** Fills the body. */
  fixed?: JsonObject
  /** Field of the body that a last argument fills: the text of the file that it names (`-`: standard input). */
  file?: string
  /** Field of the body that a last argument fills: the digest of an uploaded archive that holds the file that it names. */
  archive?: string
  /** Field of the answer that is printed as it is. */
  text?: string
  /** Field of the answer's rows that is a list: a line for each of its entries. */
  each?: string
  /** Fields of the body that options of their names fill: the text of the file that each names. */
  files?: string[]
}

/** A route of a service: data that API, OpenAPI and CLI mount. */
export interface ToolkitRoute<Spec = unknown> {
  /** `backends.list`; unique in the service. */
  id: string
  method: 'get' | 'put' | 'patch' | 'post' | 'delete'
  /** Below `/v1/deployments/{deployment}/<path>/{service}`, e.g. `/backends/{backend}/servers/{server}`. */
  path: string
  summary: string
  /** Query of a read, a zod object whose fields are texts to begin with; they become CLI options. */
  query?: z.ZodObject
  /** Body of a change, a zod object; its fields become CLI options. */
  body?: z.ZodObject
  /** Bytes that the body may have; default 2 MiB. */
  bodyLimit?: number
  response: z.ZodType
  /** CLI words after the service's command, e.g. `drain`; path parameters become arguments in path order. */
  cli?: ToolkitCommand[]
  /**
   * A read: asks the running service through Reach. A change: returns overrides to store (null deletes); the API stores them together
   * with one `push` operation, and answers 202.
   */
  read?(context: ReadContext<Spec>, params: Record<string, string>, query: JsonObject): Promise<unknown>
  /** Has the running service do what changes nothing of what shall be (a silence, a test); answers 200. */
  call?(context: ReadContext<Spec>, params: Record<string, string>, body: JsonObject): Promise<unknown>
  /** Of a change: looks at what its body names in uploaded archives, before anything is stored. Throws what refuses it. */
  check?(body: JsonObject, archives: Archives): Promise<void>
  change?(input: {
    spec: Spec
    params: Record<string, string>
    body: JsonObject
    overrides: Overrides
    components: ResolvedComponent[]
  }): Record<string, JsonObject | null>
  /**
   * A change of the service's own rows: checks and does it; the API submits one `push` operation then, and answers 202. Idempotent.
   * Gives the id of a row that the operation is to refresh, and fails when it cannot.
   */
  act?(context: ReadContext<Spec>, params: Record<string, string>, body: JsonObject): Promise<string | undefined>
}
