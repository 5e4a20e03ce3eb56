import { KitbagError } from '../model/errors.ts'
import type { RecipeContext } from '../model/recipe.ts'
import { viewOf } from './context.ts'
import { ExpressionError } from './expression.ts'
import type { Recipe } from './recipe.ts'

/**
 * What a recipe's `outputs:` say for a component: `{ user, password, url }`. Throws `invalid-recipe` naming the output whose
 * expression has no value.
 */
export function recipeOutputs(recipe: Recipe, context: RecipeContext): Record<string, unknown> {
  const outputs = viewOf(recipe, context).outputs as Record<string, unknown>
  return Object.fromEntries(Object.keys(outputs).map((name) => [name, read(recipe, outputs, name)]))
}

function read(recipe: Recipe, outputs: Record<string, unknown>, name: string): unknown {
  try {
    return outputs[name]
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    throw new KitbagError('invalid-recipe', `recipe ${recipe.signature.name}: outputs.${name}: ${error.message}`, {
      cause: error,
    })
  }
}
