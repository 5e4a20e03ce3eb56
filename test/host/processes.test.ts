import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { findProcesses } from '../../src/main/embedded/processes.ts'

test('a process is found by what it was started for; a child that it forked, of the same arguments, is not another one', async () => {
  const folder = `/tmp/${randomUUID()}`
  // What is in brackets runs in a fork, which ends with the pipe of this one's input.
  const program = spawn('bash', ['-c', '(echo forked; read -r _); :', 'bash', '-D', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    const ended = once(program, 'exit')
    program.stdin.end()
    await ended
  })
  await once(program.stdout, 'data')
  expect(findProcesses('bash', '-D', folder)).toEqual([program.pid])
  expect(findProcesses('bash', '-D', '/tmp')).toEqual([])
})
