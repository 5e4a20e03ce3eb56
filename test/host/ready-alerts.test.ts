import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rulesText } from '../../src/toolkit/monitoring/configuration.ts'
import { readyAlerts } from '../../src/toolkit/monitoring/ready-alerts.ts'
import { fromPackage, keptProgram } from '../support/debian-package.ts'
import { courses } from './alert-courses.ts'

const run = promisify(execFile)

const { promtool, missing } = await keptProgram('promtool', (folder) =>
  fromPackage(folder, 'prometheus', 'usr/bin/promtool'),
).then(
  (path) => ({ promtool: path, missing: '' }),
  (error: Error) => ({ promtool: '', missing: ` (promtool cannot be had: ${error.message.split('\n')[0]})` }),
)

describe.skipIf(missing !== '')(`ready-made alerts${missing}`, () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kitbag-alerts-'))
    await writeFile(join(folder, 'rules.yml'), rulesText({ alerts: [] }))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('each has a course in which it is told, and one in which it is not', () => {
    for (const { name } of readyAlerts) {
      const own = courses.filter(({ alert }) => alert === name).map(({ told }) => Object.values(told).some(Boolean))
      expect([name, own.includes(true), own.includes(false)]).toEqual([name, true, true])
    }
  })

  test.each(courses)('$alert: $course', async ({ alert, series, told, labels = {}, interval = 15 }) => {
    const severity = readyAlerts.find(({ name }) => name === alert)?.severity
    const expected = (summary: string | null) =>
      summary === null ? [] : [{ exp_labels: { severity, ...labels }, exp_annotations: { summary } }]
    const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values }))
    const alert_rule_test = Object.entries(told).map(([eval_time, summary]) => ({
      eval_time,
      alertname: alert,
      exp_alerts: expected(summary),
    }))
    const file = join(folder, `${randomUUID()}.yml`)
    const tests = [{ interval: `${interval}s`, input_series, alert_rule_test }]
    await writeFile(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: `${interval}s`, tests }))
    const { stdout } = await run(promtool, ['test', 'rules', file]).catch((error) => error as { stdout: string })
    expect(stdout).toContain('SUCCESS')
  })
})
