import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createLog } from '../../../src/lib/log.ts'
import { redact, Secret } from '../../../src/lib/secret.ts'
import { KitbagError } from '../../../src/model/errors.ts'

test('a secret shows nowhere but where it is asked for', () => {
  const secret = new Secret('hunter2')
  expect(
    `${secret} ${JSON.stringify({ secret })} ${inspect({ secret }, { showHidden: true })} ${inspect([secret])}`,
  ).not.toContain('hunter2')
  expect(secret.expose()).toBe('hunter2')
})

test.each([
  ['password=hunter2', ['hunter2'], 'password=[secret]'],
  ['a hunter2-long hunter2', ['hunter2', 'hunter2-long'], 'a [secret] [secret]'],
  ['{"p":"a\\"b\\nc"}', ['a"b\nc'], '{"p":"[secret]"}'],
  ['postgres://u:p%40ss%2Fword@h', ['p@ss/word'], 'postgres://u:[secret]@h'],
  ['an ox', ['ox', ''], 'an ox'],
])('redact %j', (text, secrets, expected) => expect(redact(text, secrets)).toBe(expected))

test('log lines are JSON of one line each, whatever the data', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => lines.push(line) }).child({ part: 'x' })
  const circular: Record<string, unknown> = {}
  circular.self = circular
  log.debug('left out')
  log.info('a\nb', { secret: new Secret('hunter2'), big: 1n })
  log.error('failed', { error: new KitbagError('internal', 'm', { cause: new Error('why') }) })
  log.warn('circular', circular)
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true)
  expect(lines.join('')).not.toContain('hunter2')
  const entries = lines.map((line) => JSON.parse(line))
  expect(entries[0]).toMatchObject({ level: 'info', message: 'a\nb', part: 'x', secret: '[secret]', big: '1' })
  expect(entries[1]).toMatchObject({ error: { code: 'internal', message: 'm', cause: { message: 'why' } } })
  expect(entries[2]).toMatchObject({ level: 'warn', message: 'circular' })
})
