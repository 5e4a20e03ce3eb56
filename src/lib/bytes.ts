const units = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const

/** How an amount of bytes is written: `512MiB`, `1GiB`, `20GB`. */
export const bytesPattern = /^(\d+(?:\.\d+)?)(B|[KMGT]i?B)$/

/** Bytes; undefined when it is not an amount. */
export function parseBytes(text: string): number | undefined {
  const match = bytesPattern.exec(text)
  if (!match) return undefined
  const value = Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
  return Number.isSafeInteger(value) ? value : undefined
}

/** Whole mebibytes, for people. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}
