const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** How a duration is written: `500ms`, `2s`, `1.5m`, `1h`, `7d`. */
export const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text)
  if (!match) return undefined
  const value = Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
  return Number.isSafeInteger(value) ? value : undefined
}
