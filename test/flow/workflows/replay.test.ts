import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../../src/lib/log.ts'
import { installRuntime } from '../../../src/main/temporal/runtime.ts'
import { workflowBundle } from '../../support/workflow-bundle.ts'

const folder = new URL('../../histories/', import.meta.url)

/** Recorded by operation.test.ts with KITBAG_RECORD_HISTORIES=1; see record-histories.ts. */
const histories = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.json'))

beforeAll(() => installRuntime(createLog({ level: 'error' })))

describe('recorded histories', () => {
  test('there are some of every way that an operation takes', () => {
    expect(histories.map((name) => name.replace('.json', ''))).toEqual(
      expect.arrayContaining(['op_plain', 'op_noop', 'op_once', 'op_fail', 'op_keep', 'op_cancel_signal', 'op_over']),
    )
  })

  test.each(histories)('%s replays: workflows that began with it go on with this code', async (name) => {
    const history: unknown = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, 'operation')
  })
})
