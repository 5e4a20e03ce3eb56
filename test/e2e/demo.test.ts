import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Summary } from '../../demo/report.ts'
import { packageRoot } from '../../src/lib/package-root.ts'

function runDemo(home: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, KITBAG_DEMO_HOME: home }
    const child = spawn(process.execPath, [join(packageRoot(), 'dist/demo.js'), '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

const real = process.platform === 'linux' && process.getuid?.() === 0

test('the demo deploys, serves, updates and rolls back under load, scales, destroys, and leaves nothing', async (context) => {
  if (!real) context.skip('real local machines need root on Linux')
  const home = mkdtempSync(join(tmpdir(), 'kitbag-e2e-'))
  const { status, stdout, stderr } = await runDemo(home)
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Summary
  expect({ status, checks: summary.checks.filter(({ ok }) => !ok) }, stderr.slice(-4000)).toEqual({
    status: 0,
    checks: [],
  })
  expect(summary.ok).toBe(true)
  expect(summary.requests.failed).toBe(0)
  expect(summary.requests.total).toBeGreaterThanOrEqual(5000)
  expect(summary.residue).toEqual([])
  rmSync(home, { recursive: true, force: true })
})
