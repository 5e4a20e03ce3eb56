/** What `--json` prints as its last line. */
export interface Summary {
  ok: boolean
  seconds: Record<'setup' | 'deploy' | 'recheck' | 'update' | 'rollback' | 'scale' | 'destroy' | 'toolkit', number>
  machines: number
  url: string
  checks: { name: string; ok: boolean; detail: string }[]
  requests: { total: number; failed: number }
  residue: string[]
}

export function newSummary(): Summary {
  return {
    ok: false,
    seconds: { setup: 0, deploy: 0, recheck: 0, update: 0, rollback: 0, scale: 0, destroy: 0, toolkit: 0 },
    machines: 0,
    url: '',
    checks: [],
    requests: { total: 0, failed: 0 },
    residue: [],
  }
}

/** Progress goes to stderr, so that stdout holds the summary alone. */
export function say(line = ''): void {
  process.stderr.write(`${line}\n`)
}

/** Runs one part, takes its time, and says both. */
export async function timed<T>(
  summary: Summary,
  part: keyof Summary['seconds'],
  title: string,
  work: () => Promise<T>,
): Promise<T> {
  say(`\n== ${title}`)
  const start = performance.now()
  try {
    return await work()
  } finally {
    summary.seconds[part] = Math.round((performance.now() - start) / 10) / 100
    say(`   ${part}: ${summary.seconds[part]} s`)
  }
}

export function check(summary: Summary, name: string, ok: boolean, detail: string): void {
  summary.checks.push({ name, ok, detail })
  say(`   ${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}`)
}

export function printSummary(summary: Summary): void {
  const lines = [
    '',
    summary.ok ? 'The demo worked.' : 'The demo failed.',
    ...Object.entries(summary.seconds).map(
      ([part, seconds]) => `  ${part.padEnd(9)} ${seconds.toFixed(2).padStart(7)} s`,
    ),
    `  machines  ${summary.machines}`,
    `  requests  ${summary.requests.total} under load, ${summary.requests.failed} failed`,
    `  checks    ${summary.checks.filter(({ ok }) => ok).length} of ${summary.checks.length} ok`,
    `  residue   ${summary.residue.length === 0 ? 'none' : summary.residue.join(', ')}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
