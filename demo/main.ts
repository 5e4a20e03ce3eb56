import { setUp } from '../src/main/setup.ts'
import { startControlPlane } from './control-plane.ts'
import { runInteractive } from './interactive.ts'
import { kitbag } from './kitbag.ts'
import { runOnce } from './once.ts'
import { demoHome } from './paths.ts'
import { check, newSummary, printSummary, say, timed } from './report.ts'
import { residueAtClouds, residueOnBox } from './residue.ts'

const flags = new Set(process.argv.slice(2))
const json = flags.has('--json')
const once = flags.has('--once') || json || !process.stdin.isTTY || !process.stdout.isTTY
const summary = newSummary()

async function main(): Promise<void> {
  const plane = await timed(summary, 'setup', 'set-up', async () => {
    await setUp({ home: demoHome, images: ['debian-13'], onProgress: (step, detail) => say(`   ${step}: ${detail}`) })
    const started = await startControlPlane(demoHome)
    const clouds = (await kitbag(['cloud', 'list'], started)) as { name: string }[]
    if (!clouds.some(({ name }) => name === 'home'))
      await kitbag(['cloud', 'add', 'home', '--provider', 'local'], started)
    return started
  })
  try {
    if (!once) return await runInteractive(plane, summary)
    await runOnce(plane, summary)
    summary.residue.push(...(await residueAtClouds(plane)))
  } finally {
    await plane.stop()
  }
  summary.residue.push(...(await residueOnBox(demoHome)))
  check(
    summary,
    'nothing is left on the box',
    summary.residue.length === 0,
    summary.residue.join(', ') || 'no machine, mount, bridge, rule or process',
  )
  summary.ok = summary.checks.every(({ ok }) => ok)
}

try {
  await main()
} catch (error) {
  say(`\nkitbag demo: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
if (once) {
  printSummary(summary)
  if (!summary.ok) process.exitCode = 1
}
if (json) process.stdout.write(`${JSON.stringify(summary)}\n`)
