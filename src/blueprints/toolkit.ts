import type { z } from 'zod'
import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'

/** What blueprints need of a toolkit service. */
export interface ToolkitSection {
  schema: z.ZodType
  outputs: string[]
  /** Of a service without machines: all that others may refer to, from its section as it is written. */
  values?: { outputs(section: unknown): string[] }
  /** Names an entry of a list of such services that has no `name`; undefined: it needs one. */
  nameOf?: ((section: Record<string, unknown>) => string | undefined) | undefined
  validate(
    spec: never,
    components: ResolvedComponent[],
    services: (ResolvedService & { metrics: Record<string, string[]>; values?: string[]; queries?: Queries })[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
  metrics?: { offers(spec: never): Record<string, string[]> } | undefined
  queries?: Queries | undefined
}

/** Of a service that can be asked in PromQL. */
export interface Queries {
  fault(expression: string): string | undefined
}

export type ToolkitSchemas = Record<string, ToolkitSection>
