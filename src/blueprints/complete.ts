import { z } from 'zod'
import type { ResolvedService } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
import type { ToolkitSchemas } from './toolkit.ts'

/**
 * Services of a release that an older Kitbag stored, as today's planners expect them: fields that their schemas have got since then are
 * there with their defaults. Others stay as they are, and so does the whole where nothing is new. Pure.
 */
export function completeServices(services: ResolvedService[], toolkit: ToolkitSchemas): ResolvedService[] {
  return services.map((service) => {
    const section = Object.hasOwn(toolkit, service.kind) ? toolkit[service.kind] : undefined
    return section ? { ...service, spec: complete(section.schema, service.spec) as JsonObject } : service
  })
}

/** What a schema gave once, with the defaults that it would fill in today. Values that it made anew (durations) are not looked into. */
function complete(schema: z.core.$ZodType, value: unknown): unknown {
  if (value === undefined || value === null) return value
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return complete(schema.unwrap(), value)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return complete(schema.unwrap(), value)
  if (schema instanceof z.ZodPipe) return complete(schema.in, value)
  if (schema instanceof z.ZodUnion) {
    const option = schema.options.find((candidate) => fits(candidate, value))
    return option ? complete(option, value) : value
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) return value.map((item) => complete(schema.element, item))
  if (!isMap(value)) return value
  if (schema instanceof z.ZodRecord) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, complete(schema.valueType, item)]))
  }
  return schema instanceof z.ZodObject ? completeObject(schema, value) : value
}

function completeObject(schema: z.ZodObject, value: Record<string, unknown>): Record<string, unknown> {
  const fields = Object.entries(schema.shape).flatMap(([key, field]): [string, unknown][] => {
    const known = Object.hasOwn(value, key) ? complete(field, value[key]) : z.safeParse(field, undefined).data
    return known === undefined ? [] : [[key, known]]
  })
  return { ...value, ...Object.fromEntries(fields) }
}

/** Whether a union's option can have given the value, by its form and the words that tell the options apart. */
function fits(schema: z.core.$ZodType, value: unknown): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return fits(schema.unwrap(), value)
  if (schema instanceof z.ZodPipe) return fits(schema.in, value)
  if (schema instanceof z.ZodArray) return Array.isArray(value)
  if (schema instanceof z.ZodRecord) return isMap(value)
  if (!(schema instanceof z.ZodObject)) return z.safeParse(schema, value).success
  if (!isMap(value) || Object.keys(value).some((key) => !Object.hasOwn(schema.shape, key))) return false
  return Object.entries(schema.shape).every(
    ([key, field]) => !(field instanceof z.ZodLiteral) || z.safeParse(field, value[key]).success,
  )
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
