import { setUp } from '../src/main/setup.ts'
import { KitbagError } from '../src/model/errors.ts'
import { claimHome } from './claim.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { removeAll } from './destroy.ts'
import { runInteractive } from './interactive.ts'
import { watchInterruption } from './interruption.ts'
import { kitbag } from './kitbag.ts'
import { runOnce } from './once.ts'
import { demoHome } from './paths.ts'
import { check, newSummary, printSummary, say, timed } from './report.ts'
import { residueAtClouds, residueOnBox } from './residue.ts'

const flags = new Set(process.argv.slice(2))
const json = flags.has('--json')
const once = flags.has('--once') || json || !process.stdin.isTTY || !process.stdout.isTTY
const summary = newSummary()

/** Set-up may be cut off anywhere; from the control plane's start on, Ctrl-C has to wait for what must be ended with it. */
async function start(): Promise<{ plane: ControlPlane; interrupted: AbortSignal }> {
  await setUp({ home: demoHome, images: ['debian-13'], onProgress: (step, detail) => say(`   ${step}: ${detail}`) })
  await claimHome(demoHome)
  const interrupted = watchInterruption()
  const plane = await startControlPlane(demoHome)
  const clouds = (await kitbag(['cloud', 'list'], plane)) as { name: string }[]
  if (!clouds.some(({ name }) => name === 'home')) await kitbag(['cloud', 'add', 'home', '--provider', 'local'], plane)
  return { plane, interrupted }
}

/** Whatever goes wrong on the way, nothing of it stays on the box. */
async function wholeLife(plane: ControlPlane, interrupted: AbortSignal): Promise<void> {
  try {
    await runOnce(plane, summary, interrupted)
  } catch (error) {
    say(`\n${interrupted.aborted ? 'Interrupted' : 'It failed'}: removing what is there.`)
    await removeAll(plane)
    throw error
  } finally {
    summary.residue.push(...(await residueAtClouds(plane)))
  }
}

let started = false

async function main(): Promise<void> {
  const { plane, interrupted } = await timed(summary, 'setup', 'set-up', start)
  started = true
  try {
    if (!once) return await runInteractive(plane, summary, interrupted)
    await wholeLife(plane, interrupted)
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
  const fix = error instanceof KitbagError && error.fix ? `. ${error.fix}` : ''
  say(`\nkitbag demo: ${error instanceof Error ? error.message : error}${fix}`)
  process.exitCode = 1
}
if (once && started) printSummary(summary)
if (once && !summary.ok) process.exitCode = 1
if (json) process.stdout.write(`${JSON.stringify(summary)}\n`)
