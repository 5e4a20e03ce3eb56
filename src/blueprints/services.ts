import type { z } from 'zod'
import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import { componentNameSchema } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import type { Path } from './document.ts'
import type { Problems } from './problems.ts'

/** What blueprints need of a toolkit service. */
export interface ToolkitSection {
  schema: z.ZodType
  outputs: string[]
  validate(
    spec: never,
    components: ResolvedComponent[],
  ): { path: string; message: string; found?: string; allowed?: string[] }[]
}

export type ToolkitSchemas = Record<string, ToolkitSection>

/** Services that are designed and not built yet: named as such rather than as unknown. */
const planned = ['dns', 'autoscaler', 'monitoring', 'certificates', 'healing']

/** The `toolkit:` section. A service is one object, or a list of named ones. */
export function resolveServices(
  section: Record<string, unknown>,
  toolkit: ToolkitSchemas,
  components: ResolvedComponent[],
  problems: Problems,
): ResolvedService[] {
  return Object.entries(section).flatMap(([kind, value]) => {
    const path = ['toolkit', kind]
    const service = Object.hasOwn(toolkit, kind) ? toolkit[kind] : undefined
    if (!service) {
      const known = Object.keys(toolkit)
      if (planned.includes(kind))
        problems.add(path, `the toolkit service ${kind} is not built yet`, { allowed: known, at: 'key' })
      else problems.add(path, `there is no toolkit service ${kind}`, { unknown: kind, allowed: known, at: 'key' })
      return []
    }
    if (!Array.isArray(value)) return resolveService({ kind, name: kind, path, value }, service, components, problems)
    return value.flatMap((item: unknown, i) => {
      const { name, ...rest } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
      const parsed = componentNameSchema.safeParse(name)
      if (parsed.success)
        return resolveService(
          { kind, name: parsed.data, path: [...path, i], value: rest },
          service,
          components,
          problems,
        )
      problems.add([...path, i], 'one of several has a `name` of its own: letters, digits and hyphens')
      return []
    })
  })
}

function resolveService(
  found: { kind: string; name: string; path: Path; value: unknown },
  service: ToolkitSection,
  components: ResolvedComponent[],
  problems: Problems,
): ResolvedService[] {
  const { kind, name, path, value } = found
  const parsed = service.schema.safeParse(value)
  if (!parsed.success) {
    problems.addIssues(path, parsed.error.issues, value)
    return []
  }
  for (const { path: inner, message, found: wrong, allowed } of service.validate(parsed.data as never, components)) {
    const keys = inner === '' ? [] : inner.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key))
    problems.add([...path, ...keys], message, {
      ...(wrong !== undefined && { unknown: wrong }),
      ...(allowed && { allowed }),
    })
  }
  return [{ name, kind, spec: parsed.data as JsonObject }]
}
