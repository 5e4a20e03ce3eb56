/** Edits (insert, delete, replace one character) between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The known name that was probably meant: at most a third of its letters (two at least) differ, upper and lower case alike. */
export function nearest(name: string, known: string[]): string | undefined {
  if (name.length > 100) return undefined
  const scored = known
    .map((candidate) => ({ candidate, score: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, score }) => score <= Math.max(2, Math.floor(candidate.length / 3)) && score < candidate.length,
    )
  return scored.sort((a, b) => a.score - b.score)[0]?.candidate
}
