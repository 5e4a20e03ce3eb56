import { z } from '@hono/zod-openapi'

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000 }

/** `30s`, `500ms`, `1m` as milliseconds, at most `most`. */
export function durationQuery(most: number) {
  return z
    .string()
    .regex(/^[0-9]{1,6}(ms|s|m)$/, 'a number and a unit: 500ms, 30s, 1m')
    .transform((text) => Math.min(most, Number.parseInt(text, 10) * (units[text.replace(/^[0-9]+/, '')] ?? 0)))
    .openapi({ type: 'string', example: '30s' })
}
