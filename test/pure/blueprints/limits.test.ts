import { describe, expect, test } from 'vitest'
import { decodeBlueprint } from '../../../src/blueprints/text.ts'
import { lines, parse, problemsOf } from './fixture.ts'

const head = 'apiVersion: kitbag/v1\nname: shop\ncomponents:\n'
const levels = 20_000

/** A map of so many keys, none of them known. */
const wide = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('\n')

const cases: [string, string, string][] = [
  ['lists within lists', `${head}  db: ${'['.repeat(levels)}`, '4:71 : nested deeper than 64 levels'],
  ['maps within maps', `${head}  db: ${'{a: '.repeat(levels)}`, ': nested deeper than 64 levels'],
  ['lists in block style', '- '.repeat(levels), ': nested deeper than 64 levels'],
  ['keys that are maps', '? '.repeat(levels), ': nested deeper than 64 levels'],
  ['levels by indentation', wide(1_000, (i) => `${' '.repeat(i)}a:`), ': nested deeper than 64 levels'],
  [
    'levels by aliases',
    `a0: &a0 [1]\n${wide(100, (i) => `a${i + 1}: &a${i + 1} [*a${i}]`)}`,
    ': nested deeper than 64 levels',
  ],
  [
    'laughs by the billion',
    `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${wide(9, (i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`)}`,
    ': more than 20000 values, those that aliases repeat counted each time: write less',
  ],
  [
    'one large value many times',
    `a: &a [${'1,'.repeat(1_000)}]\nb: [${'*a,'.repeat(1_000)}]`,
    ': more than 20000 values',
  ],
  ['a value within itself', 'a: &a [*a]', '1:8 a[0]: *a stands within &a'],
  ['an alias to nothing', 'a: *b', '1:4 a: there is no &b before'],
  ['a key twice', 'name: a\nname: b', '2:1 : the key name stands here twice'],
  ['a key twice in two spellings', 'a: { 1: x, "1": y }', '1:12 a: the key 1 stands here twice'],
  ['a key twice among many', `${wide(2_000, (i) => `k${i}: 1`)}\nk7: 2`, '2001:1 : the key k7 stands here twice'],
  ['__proto__', 'a:\n  __proto__: { polluted: true }', '2:3 a: the key __proto__ is not allowed'],
  ['constructor', 'constructor: 1', '1:1 : the key constructor is not allowed'],
  [
    'a stored reference',
    'components: { db: { settings: { a: { $ref: secrets.X } } } }',
    '1:38 components.db.settings.a: the key $ref is not allowed',
  ],
  ['NUL', 'name: a\0b', '1:8 : a NUL character, which no text can hold'],
  [
    'NUL by escape',
    'x: 1\nname: "a\\0b"',
    '2:7 name: a NUL character or half a surrogate pair, which no text can hold',
  ],
  ['half a pair', 'name: \ud800', '1:7 : half a surrogate pair, which no text can hold'],
  [
    'half a pair by escape',
    'name: "\\ud800"',
    '1:7 name: a NUL character or half a surrogate pair, which no text can hold',
  ],
  ['half a pair in a key', '"\\udc00": 1', '1:1 : a key that no text can hold'],
  ['bytes that are no UTF-8', 'name: \ufffd', '1:7 : bytes that are no UTF-8, which no text can hold'],
  ['more than 1 MiB', `# ${'x'.repeat(1 << 20)}`, '1:1 : a blueprint has at most 1048576 bytes'],
  ['50 MB', 'x'.repeat(50_000_000), '1:1 : a blueprint has at most 1048576 bytes'],
  ['half a million values', `a: [${'1,'.repeat(500_000)}]`, '1:1 : too much to read'],
  ['a tag of one’s own', 'name: !evil x', '1:7 : Unresolved tag: !evil'],
  ['two documents', 'name: a\n---\nname: b', ': a second document: a blueprint is one'],
  ['a directive', '%YAML 1.1\n---\nname: yes', '1:1 : directives (%YAML) are not taken'],
  ['a tag', 'name: !!binary aGk=', '1:16 name: a tag (tag:yaml.org,2002:binary): tags are not taken'],
  ['a key that is a list', '? [a]\n: b', '1:3 : a key must be text'],
  [
    'a number with too many digits',
    'name: 12345678901234567890',
    '1:7 name: 12345678901234567890 has more digits than a number can hold: write it in quotes',
  ],
  ['no number', 'name: .nan', '1:7 name: .nan is no number that JSON can hold'],
  ['what is no YAML', 'a: "b\nc: [', ': Missing closing "quote'],
]

/** Milliseconds of processor time: of three tries the best, because other tests run beside this one. */
function cost(work: () => void): number {
  const tries = [1, 2, 3].map(() => {
    const began = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1_000
  })
  return Math.min(...tries)
}

describe('refused at once, with the place', () => {
  test.each(cases)('%s', (_, text, wanted) => {
    const problems = problemsOf(text)
    expect(lines(problems)[0]).toContain(wanted)
    expect(problems[0]).toMatchObject({ file: 'blueprint.yaml', line: expect.any(Number), column: expect.any(Number) })
    // Some tens of ms where nothing else runs; what grows out of hand takes minutes.
    expect(cost(() => problemsOf(text))).toBeLessThan(1_000)
  })
})

test('nothing reached an object’s own machinery', () => {
  problemsOf('__proto__: { polluted: true }')
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test('bytes are decoded strictly', () => {
  const bytes = Buffer.concat([Buffer.from('name: shop\nx: a'), Buffer.from([0xff]), Buffer.from('b')])
  expect(() => decodeBlueprint(bytes, 'b.yaml')).toThrow('b.yaml:2:5: bytes that are no UTF-8')
  expect(() => decodeBlueprint(Buffer.alloc(2 << 20, 'x'), 'b.yaml')).toThrow('a blueprint has at most')
  expect(decodeBlueprint(Buffer.from('\ufeffname: ä😀'), 'b.yaml')).toBe('name: ä😀')
})

test('a large blueprint that is right is taken', () => {
  const many = wide(200, (i) => `  c${i}: { recipe: postgresql, settings: { database: a }, env: { A: "\${c0.host}" } }`)
  expect(parse(`${head}${many}`).components).toHaveLength(200)
})

test('brackets in text are no levels', () => {
  const value = '['.repeat(5_000)
  const text = `${head}  db: { recipe: postgresql, env: { A: "${value}" } } # ${value}\n`
  expect(parse(text).components[0]?.env.A).toBe(value)
})
