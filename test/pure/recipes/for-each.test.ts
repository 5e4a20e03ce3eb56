import { describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import { loadRecipe } from '../../../src/recipes/load.ts'
import { folder, program, recipe } from './fixture.ts'

const parameters =
  'parameters:\n  sites: { type: array, items: { type: object }, default: [] }\n  word: { type: string, default: x }\n'
const resources = (text: string) => `${parameters}resources:\n${text}`

function problems(text: string): string[] {
  try {
    loadRecipe('./recipes/x', folder({ 'recipe.yaml': `name: x\n${resources(text)}` }))
    return []
  } catch (error) {
    if (!(error instanceof KitbagError)) throw error
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}

const sites = recipe(
  resources(`
  - file: /etc/sites/\${item.name}
    forEach: parameters.sites
    when: item.on
    content: "{{line item.text}}"
    notify: { reload: web }
  - service: web
    state: running
`),
)

describe('an entry with forEach', () => {
  const made = (list: unknown[]) =>
    program(sites, { context: { parameters: { sites: list } } }).resources.map(({ resource }) => resource)

  test('is there once for each item, which its path, condition and template see', () => {
    const list = [
      { name: 'a', on: true, text: 'first' },
      { name: 'b', on: false, text: 'second' },
      { name: 'c', on: true, text: 'third' },
    ]
    expect(made(list)).toEqual(['file:/etc/sites/a', 'file:/etc/sites/c', 'service:web', 'reload:web.service'])
    const { text } = program(sites, { context: { parameters: { sites: list } } })
    expect(text).toContain('first')
    expect(text).toContain('third')
    expect(text).not.toContain('second')
  })

  test('is not there for an empty list', () => {
    expect(made([])).toEqual(['service:web'])
  })

  test('a list that is none is an error of that entry', () => {
    const wrong = recipe(resources('  - file: /a/${item}\n    forEach: parameters.word\n    content: x\n'))
    expect(() => program(wrong, {})).toThrow(/forEach: needs a list/)
  })
})

test.each<[string, string, string[]]>([
  ['a known list', '  - file: /a/${item.x}\n    forEach: parameters.sites\n    content: x\n', []],
  ['in ${...}', '  - file: /a/${item.x}\n    forEach: ${parameters.sites}\n    content: x\n', []],
  [
    'an unknown parameter',
    '  - file: /a/${item.x}\n    forEach: parameters.site\n    content: x\n',
    [expect.stringMatching(/resources\.0\.forEach: .*site/)],
  ],
  [
    'an unknown name',
    '  - file: /a/${item.x}\n    forEach: things\n    content: x\n',
    [expect.stringMatching(/resources\.0\.forEach: .*things/)],
  ],
  [
    'no expression',
    '  - file: /a/b\n    forEach: [1, 2]\n    content: x\n',
    [expect.stringMatching(/resources\.0\.forEach: must be an expression, such as \$\{parameters.sites\}/)],
  ],
  [
    'item without forEach',
    '  - file: /a/${item.x}\n    content: x\n',
    [expect.stringContaining('"item" is known beside `forEach` only')],
  ],
  [
    'item without forEach, in a template',
    '  - file: /a/b\n    content: "{{line item.x}}"\n',
    [expect.stringContaining('"item" is known beside `forEach` only')],
  ],
  [
    'facts of other machines while installing',
    '  - user: ${item.name}\n    forEach: peers\n',
    [expect.stringMatching(/resources\.0\.forEach: "peers" may hold facts of other machines/)],
  ],
])('%s', (_, text, expected) => {
  expect(problems(text)).toEqual(expected)
})
