import { expect, test } from 'vitest'
import { lines, problemsOf } from './fixture.ts'
import { head, right } from './wrong-lines.ts'

const declared: [string, string, string | undefined, string[]][] = [
  ['not given', '{ type: string }', undefined, ['3:15 parameters.p: the parameter p is not given: say --set p=VALUE']],
  ['no integer', '{ type: integer }', '1.5', ['3:15 parameters.p: the given value of p is not an integer']],
  ['no number', '{ type: number }', 'x', ['3:15 parameters.p: the given value of p is not a number']],
  ['endless', '{ type: number }', '1e999', ['3:15 parameters.p: the given value of p is not a number']],
  ['no boolean', '{ type: boolean }', 'yes', ['3:15 parameters.p: the given value of p is not a boolean']],
  ['below', '{ type: integer, minimum: 2 }', '1', ['3:15 parameters.p: the given value of p is below the minimum 2']],
  ['above', '{ type: integer, maximum: 2 }', '3', ['3:15 parameters.p: the given value of p is above the maximum 2']],
  [
    'none of',
    '{ type: string, enum: [small, large] }',
    'larg',
    ['3:15 parameters.p: the given value of p is none of those allowed'],
  ],
  [
    'short',
    '{ type: string, minLength: 2 }',
    '😀',
    ['3:15 parameters.p: the given value of p is shorter than 2 characters'],
  ],
  [
    'no match of the whole',
    '{ type: string, pattern: "[a-z]+" }',
    'a1',
    ['3:15 parameters.p: the given value of p does not match [a-z]+'],
  ],
  ['no host', '{ type: string, format: hostname }', 'a_b', ['3:15 parameters.p: the given value of p is no hostname']],
  [
    'NUL',
    '{ type: string }',
    'a\0b',
    ['3:15 parameters.p: the given value of p holds a NUL character or half a surrogate pair'],
  ],
  [
    'default wrong',
    '{ type: integer, default: x }',
    undefined,
    ['3:44 parameters.p.default: the default of p is not an integer'],
  ],
  [
    'default above',
    '{ type: integer, maximum: 2, default: 3 }',
    undefined,
    ['3:56 parameters.p.default: the default of p is above the maximum 2'],
  ],
  ['no such type', '{ type: int }', '1', ['3:26 parameters.p.type: "int" is not allowed (near integer)']],
  [
    'no such word',
    '{ type: integer, minimun: 1 }',
    '1',
    ['3:35 parameters.p.minimun: unknown field minimun (near minimum)'],
  ],
  [
    'word of another type',
    '{ type: string, minimum: 1 }',
    '1',
    ['3:34 parameters.p.minimum: minimum is for numbers, and this is of type string'],
  ],
  [
    'nothing fits',
    '{ type: integer, minimum: 2, maximum: 1 }',
    '2',
    [
      '3:15 parameters.p: the given value of p is above the maximum 1',
      '3:44 parameters.p.minimum: is above the maximum',
    ],
  ],
  [
    'no pattern',
    '{ type: string, pattern: "(" }',
    'x',
    ['3:43 parameters.p.pattern: must be a regular expression, without look-around and back-references (RE2)'],
  ],
]
test.each(declared)('%s', (_, declaration, value, wanted) => {
  const text = `${head}parameters: { p: ${declaration} }\ncomponents: { db: { recipe: postgresql } }\n`
  expect(lines(problemsOf(text, value === undefined ? {} : { p: value }))).toEqual(wanted)
})

test('one that is not declared, with the nearest that is', () => {
  expect(problemsOf(right, { conut: '2' })).toEqual([
    {
      file: 'blueprint.yaml',
      line: 3,
      column: 1,
      path: 'parameters',
      message: 'there is no parameter conut',
      found: 'conut',
      allowed: ['count'],
      nearest: 'count',
    },
  ])
})

test('where a parameter without a value stands nothing else is said', () => {
  const text = right.replace(', default: 2', '')
  expect(lines(problemsOf(text))).toEqual([
    '4:3 parameters.count: the parameter count is not given: say --set count=VALUE',
  ])
  expect(lines(problemsOf(text, { count: '0' }))).toEqual([
    '4:3 parameters.count: the given value of count is below the minimum 1',
  ])
})

test('a pattern that would take for ever elsewhere is compared at once', () => {
  const text = `${head}parameters: { p: { type: string, pattern: "(a+)+" } }\ncomponents: { db: { recipe: postgresql } }\n`
  expect(lines(problemsOf(text, { p: `${'a'.repeat(50)}!` }))).toEqual([
    '3:15 parameters.p: the given value of p does not match (a+)+',
  ])
})
