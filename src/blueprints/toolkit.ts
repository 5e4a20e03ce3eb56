import type { z } from 'zod'
import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'

/** What blueprints need of a toolkit service. */
export interface ToolkitSection {
  schema: z.ZodType
  outputs: string[]
  /** Names an entry of a list of such services that has no `name`; undefined: it needs one. */
  nameOf?: ((section: Record<string, unknown>) => string | undefined) | undefined
  validate(
    spec: never,
    components: ResolvedComponent[],
    services: (ResolvedService & { metrics: Record<string, string[]> })[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
  metrics?: { offers(spec: never): Record<string, string[]> } | undefined
}

export type ToolkitSchemas = Record<string, ToolkitSection>

/** Services that are designed and not built yet: refused as such rather than as unknown, and their names are kept free. */
export const plannedServices = ['monitoring', 'certificates']
