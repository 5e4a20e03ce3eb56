import type { z } from 'zod'
import type { ResolvedComponent } from '../model/blueprint.ts'

/** What blueprints need of a toolkit service. */
export interface ToolkitSection {
  schema: z.ZodType
  outputs: string[]
  /** Of a service without machines: all that others may refer to, from its section as it is written. */
  values?: { outputs(section: unknown): string[] }
  validate(
    spec: never,
    components: ResolvedComponent[],
    services: { name: string; kind: string; metrics: Record<string, string[]> }[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
  metrics?: { offers(spec: never): Record<string, string[]> } | undefined
}

export type ToolkitSchemas = Record<string, ToolkitSection>

/** Services that are designed and not built yet: refused as such rather than as unknown, and their names are kept free. */
export const plannedServices = ['autoscaler']
