import { say } from './say.ts'

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[half]]
  return (low + high) / 2
}

/** Seconds that some work took. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1_000
}

/**
 * Runs the works in turn, each of which gives its own seconds; returns the medians by name. Every other round begins at the other end (a, b, b, a, ...):
 * on a box that slows down while it works, whoever comes second looks slower (`owned-machines` was 1.11 x in one order and 0.93 x in the other).
 */
export async function interleaved<Name extends string>(
  rounds: number,
  works: Record<Name, (round: number) => Promise<number>>,
): Promise<Record<Name, number>> {
  const taken = Object.fromEntries(Object.keys(works).map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(works) as Name[]
    for (const name of round % 2 === 0 ? names : names.reverse()) taken[name].push(await works[name](round))
    const latest = (Object.keys(works) as Name[]).map((name) => `${name} ${taken[name].at(-1)?.toFixed(3)} s`)
    if (rounds <= 10) say(`   ${round + 1} of ${rounds}: ${latest.join(', ')}`)
  }
  return Object.fromEntries((Object.keys(works) as Name[]).map((name) => [name, median(taken[name])])) as Record<
    Name,
    number
  >
}

/** Works that go on at the same time. */
const atOnce = 10

/** Does as many works, some at a time, in order of their start. */
export async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
