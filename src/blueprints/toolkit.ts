import type { z } from 'zod'
import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'

/** What blueprints need of a toolkit service. */
export interface ToolkitSection {
  schema: z.ZodType
  outputs: string[]
  validate(
    spec: never,
    components: ResolvedComponent[],
    services: ResolvedService[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
}

export type ToolkitSchemas = Record<string, ToolkitSection>

/** Services that are designed and not built yet: refused as such rather than as unknown, and their names are kept free. */
export const plannedServices = ['autoscaler', 'monitoring', 'healing', 'certificates']
