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

/** Fewer letters than this at the beginning of a name may be the beginning of anything. */
const shortestPrefix = 3

function score(name: string, candidate: string): number {
  const [a, b] = [name.toLowerCase(), candidate.toLowerCase()]
  const edits = distance(a, b)
  return a.length >= shortestPrefix && b.startsWith(a) ? Math.min(edits, 1) : edits
}

/**
 * The known name that was probably meant: at most a third of its letters (two at least, but not all) differ, or it begins with what was
 * written. Upper and lower case are alike.
 */
export function nearest(name: string, known: string[]): string | undefined {
  if (name.length > 100) return undefined
  const most = (candidate: string) => Math.max(2, Math.floor(candidate.length / 3))
  return known
    .map((candidate) => ({ candidate, edits: score(name, candidate) }))
    .filter(({ candidate, edits }) => edits <= most(candidate) && edits < Math.min(name.length, candidate.length))
    .sort((a, b) => a.edits - b.edits)[0]?.candidate
}
