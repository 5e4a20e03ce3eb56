import { expect, test } from 'vitest'
import { foldersOf } from '../../../src/blueprints/sources.ts'

test('folders of applications and recipes, each once, sorted', () => {
  const text = `components:
  web: { source: ./web, runtime: nodejs }
  api: { source: ./api, runtime: ./recipes/go }
  jobs: { source: ./api, runtime: ./recipes/go }
  db: { recipe: ./recipes/db }
  cache: { recipe: redis }
`
  expect(foldersOf(text, 'b.yaml')).toEqual({ sources: ['./api', './web'], recipes: ['./recipes/db', './recipes/go'] })
})

test.each(['', 'components:', 'components: [1]', 'components: { a: 1 }', '- 1', 'components: { a: { source: 7 } }'])(
  'what is wrong otherwise is left to the server: %j',
  (text) => expect(foldersOf(text, 'b.yaml')).toEqual({ sources: [], recipes: [] }),
)

test.each([
  ['source: ../other', '1:27'],
  ['source: /etc', '1:27'],
  ['source: "a/../../b"', '1:27'],
  ['runtime: ./recipes/../../x', '1:28'],
])('a folder that is not beside the blueprint is never packed: %s', (field, place) => {
  expect(() => foldersOf(`components: { web: { ${field} } }`, 'b.yaml')).toThrow(
    new RegExp(`^b.yaml:${place.replace('1:27', '1:30').replace('1:28', '1:31')}: components.web.`),
  )
})

test('what is no YAML is told with its place', () => {
  expect(() => foldersOf('a: [', 'b.yaml')).toThrow(/^b.yaml:1:5: /)
})
