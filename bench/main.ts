import { arch, cpus, release, totalmem } from 'node:os'
import { setUp } from '../src/main/setup.ts'
import { families } from './rows/families.ts'
import type { Family } from './support/bench.ts'
import { createCleanup } from './support/cleanup.ts'
import { benchFolder, removeBenchFolder } from './support/folder.ts'
import { barText, isOk, rounded } from './support/row.ts'
import { runFamilies } from './support/run-families.ts'
import { say } from './support/say.ts'
import { createSharedPlane } from './support/shared-plane.ts'
import { type Box, markdownTable, textTable } from './support/tables.ts'

const words = process.argv.slice(2)
const flags = words.filter((word) => word.startsWith('--'))
const names = words.filter((word) => !word.startsWith('--'))

const box: Box = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  arch: arch(),
  node: process.versions.node,
}

/** The families that measure what was asked for. Throws naming what is not known. */
function selected(): Family[] {
  const wordsOf = ({ name, rows }: Family) => [name, ...rows.map((row) => row.name)]
  const known = new Set([...families.flatMap(wordsOf), '--json', '--markdown'])
  const unknown = words.filter((word) => !known.has(word))
  if (unknown.length > 0) throw new Error(`no row ${unknown.join(', ')}; known: ${[...known].join(' ')}`)
  return families.filter((family) => names.length === 0 || wordsOf(family).some((word) => names.includes(word)))
}

async function main(): Promise<boolean> {
  const wanted = selected()
  if (process.getuid?.() !== 0) throw new Error('real local machines need root: run it as root')
  const home = benchFolder()
  const shared = createSharedPlane()
  const cleanup = createCleanup()
  const interrupt = new AbortController()
  const undo = async () => {
    await cleanup.run()
    await shared.endPlane()
    removeBenchFolder()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say(`\n${signal}: cleaning up`)
      interrupt.abort(new Error('interrupted'))
      void undo().finally(() => process.exit(130))
    })
  }
  await setUp({ home, images: ['debian-13'], onProgress: (step, detail) => say(`setup  ${step}: ${detail}`) })
  const rows = await runFamilies(wanted, { ...shared, cleanup, signal: interrupt.signal })
  await undo()
  process.stdout.write(flags.includes('--markdown') ? markdownTable(box, rows) : textTable(box, rows))
  if (flags.includes('--json')) {
    const short = rows.map((row) => ({
      name: row.name,
      value: row.value === null ? null : rounded(row.value),
      bar: barText(row),
      ok: isOk(row),
    }))
    process.stdout.write(`${JSON.stringify({ box, rows: short })}\n`)
  }
  return rows.every(isOk)
}

try {
  if (!(await main())) process.exitCode = 1
} catch (error) {
  say(`kitbag bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
