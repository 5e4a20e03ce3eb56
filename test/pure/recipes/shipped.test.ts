import { expect, test } from 'vitest'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'

test('every folder of /recipes is a recipe of that name', async () => {
  const recipes = await shippedRecipes()
  expect([...recipes.keys()]).toEqual(expect.arrayContaining(['base', 'nodejs', 'postgresql']))
})
