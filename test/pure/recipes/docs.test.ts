import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { contextShape } from '../../../src/recipes/context.ts'
import { functions } from '../../../src/recipes/expression.ts'
import { resourceTypes } from '../../../src/recipes/resources/registry.ts'
import { recipeSchema } from '../../../src/recipes/schema.ts'
import { outputHelpers, valueHelpers } from '../../../src/recipes/template-helpers.ts'

const text = readFileSync('docs/recipes.md', 'utf8')

function section(key: string): string {
  const [, after = ''] = text.split(`\n### \`${key}\`\n`)
  return after.split(/\n##/)[0] ?? ''
}

test('the reference names every type with every field', () => {
  for (const [key, { schema }] of Object.entries(resourceTypes)) {
    const fields = Object.keys(schema.shape).filter((field) => field !== key && field !== 'notify')
    const missing = fields.filter((field) => !section(key).includes(`\`${field}\``))
    expect([key, missing]).toEqual([key, []])
  }
})

test('and every field of recipe.yaml, name, function and helper', () => {
  const code = [...text.matchAll(/`([^`]*)`/g)].map(([, inside = '']) => inside)
  const known = new Set(code.flatMap((inside) => inside.split(/[^A-Za-z0-9_]+/)))
  const names = [recipeSchema.shape, contextShape, functions, outputHelpers, valueHelpers].flatMap(Object.keys)
  expect(names.filter((name) => !known.has(name))).toEqual([])
})
