import { z } from '@hono/zod-openapi'
import type { ReleaseRecord } from '../../model/release.ts'

const members = {
  number: z.int(),
  digest: z.string(),
  current: z.boolean().openapi({ description: 'Whether it is in force' }),
  createdAt: z.string(),
}

export const releaseSummarySchema = z.object(members).openapi('ReleaseSummary')

export const releaseSchema = z
  .object({
    ...members,
    text: z.string().openapi({ description: 'The blueprint as it was written' }),
    parameters: z.record(z.string(), z.unknown()),
    sources: z.record(z.string(), z.string()),
    recipes: z.record(z.string(), z.string()).openapi({ description: 'Recipe -> digest of its folder' }),
    secretVersions: z.record(z.string(), z.int()),
  })
  .openapi('Release')

export type ReleaseSummary = z.infer<typeof releaseSummarySchema>
export type Release = z.infer<typeof releaseSchema>

export function presentReleaseSummary(
  { number, digest, createdAt }: ReleaseRecord,
  current: number | null,
): ReleaseSummary {
  return { number, digest, current: number === current, createdAt: createdAt.toISOString() }
}

export function presentRelease(record: ReleaseRecord, current: number | null): Release {
  const { text, blueprint, sources, recipes, secretVersions } = record.spec
  return {
    ...presentReleaseSummary(record, current),
    text,
    parameters: blueprint.parameters,
    sources,
    recipes: Object.fromEntries(Object.entries(recipes).map(([name, recipe]) => [name, recipe.digest])),
    secretVersions,
  }
}
