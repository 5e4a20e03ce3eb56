import type { Bench, Family } from './bench.ts'
import { barText, isOk, type Row, valueText } from './row.ts'
import { say } from './say.ts'

/**
 * Runs families one after the other, each cleaned up after before the next begins. One that fails leaves its rows unmeasured, with the
 * reason.
 */
export async function runFamilies(families: Family[], bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const family of families) {
    if (bench.signal.aborted) break
    say(`\n== ${family.name}: ${family.rows.map(({ name }) => name).join(', ')}`)
    const start = Date.now()
    const measured = await measure(family, bench)
    rows.push(...measured)
    for (const row of measured) {
      say(`   ${isOk(row) ? 'ok  ' : 'MISS'} ${row.name}: ${valueText(row)}, bar ${barText(row)} (${row.detail})`)
    }
    say(`   took ${Math.round((Date.now() - start) / 1000)} s`)
  }
  return rows
}

async function measure(family: Family, bench: Bench): Promise<Row[]> {
  const missing = { value: null, detail: 'not measured' }
  try {
    const measured = await family.run(bench)
    return family.rows.map((row, index) => ({ ...row, ...(measured[index] ?? missing) }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    say(`   ${error instanceof Error ? error.stack : reason}`)
    return family.rows.map((row) => ({ ...row, ...missing, detail: `failed: ${reason.split('\n')[0]}` }))
  } finally {
    await bench.cleanup.run()
  }
}
