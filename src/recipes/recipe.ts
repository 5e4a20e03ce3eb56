import type { Phase, RecipeSignature } from '../model/recipe.ts'
import type { Expression, Template } from './expression.ts'
import type { FileTemplate } from './template.ts'

/** A recipe that has been read and found right. Made by `loadRecipe`; immutable. */
export interface Recipe {
  signature: RecipeSignature
  /** The folder as it was read: path below it -> content. */
  files: Record<string, Buffer>
  definition: RecipeDefinition
}

export interface RecipeDefinition {
  description: string
  outputs: Record<string, Template>
  resources: ResourceDefinition[]
}

/** One entry of `resources:`, in the order of the file. */
export interface ResourceDefinition {
  /** `file`, `package` ...: a key of the registry. */
  type: string
  phase: Phase
  when?: Expression
  /** The entry stands for one of each item of this list, which its fields and templates see as `item`. */
  forEach?: Expression
  /** All fields of the entry but `phase`, `when` and `forEach`, as written. */
  fields: Record<string, unknown>
  /** The fields' texts that are Handlebars: `content`, `stdin`, or the file that `template` names. */
  templates: Record<string, FileTemplate>
  /** Its place under `resources:`, from 0. */
  index: number
  /** 1-based line in recipe.yaml. */
  line: number
}
