import { expect, test } from 'vitest'
import { type FieldSchema, fieldValue } from '../../../src/cli/field-value.ts'

const text: FieldSchema = { type: 'string' }
const either: FieldSchema = { anyOf: [text, { type: 'number' }, { type: 'array', items: text }] }
const list: FieldSchema = { type: 'array', items: text }

test.each<[string, FieldSchema, string, unknown]>([
  ['text stays as it was written', text, '1.10', '1.10'],
  ['also where a number would do', either, '007', '007'],
  ['also what other fields read as JSON', text, 'true', 'true'],
  ['a number', { type: 'integer' }, '50', 50],
  ['a truth value', { type: 'boolean' }, 'true', true],
  ['what is no number is for the server to refuse', { type: 'integer' }, 'many', 'many'],
  ['a list of one', list, '192.0.2.1', ['192.0.2.1']],
  ['a list of one that looks like a number', list, '12', ['12']],
  ['a list as JSON', list, '["a", "b"]', ['a', 'b']],
  ['a list as JSON where text would do', either, '["a"]', ['a']],
  ['a list of objects', { type: 'array', items: { type: 'object' } }, '[{"weight": 1}]', [{ weight: 1 }]],
])('%s', (_, schema, written, value) => {
  expect(fieldValue(schema, written)).toEqual(value)
})
