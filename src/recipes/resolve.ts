import type { z } from 'zod'
import { KitbagError } from '../model/errors.ts'
import { declaredParameters } from './context.ts'
import { ExpressionError, evaluateTemplate, parseTemplate, templatePaths } from './expression.ts'
import { innermost } from './issue.ts'
import type { Recipe, ResourceDefinition } from './recipe.ts'
import { resourceTypeOf } from './resources/registry.ts'
import type { RenderedText } from './resources/type.ts'

/** Shorter secrets would hide every diff. */
const shortestSecret = 4

/** A resource's fields with their expressions evaluated, checked by the type's schema. Throws ExpressionError or `invalid-recipe`. */
export function resolveFields(resource: ResourceDefinition, view: unknown): Record<string, unknown> {
  const type = resourceTypeOf(resource.type)
  if (!type) throw new KitbagError('invalid-recipe', `there is no resource type "${resource.type}"`)
  const resolved = Object.fromEntries(
    Object.entries(resource.fields).map(([name, value]) => [
      name,
      type.verbatim.includes(name) ? value : deep(value, view),
    ]),
  )
  const result = type.schema.safeParse(resolved)
  if (!result.success) throw new KitbagError('invalid-recipe', result.error.issues.map(issueText(resolved)).join('; '))
  return result.data
}

function deep(value: unknown, view: unknown): unknown {
  if (typeof value === 'string') return fits(evaluateTemplate(parseTemplate(value), view), value)
  if (Array.isArray(value))
    return value.flatMap((item) => (isExpression(item) ? [deep(item, view)].flat() : [deep(item, view)]))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deep(member, view)]))
}

/** An expression alone inside a list stands for its items, so that lists can be put together. */
function isExpression(value: unknown): boolean {
  return typeof value === 'string' && /^\$\{[^}]*\}$/.test(value)
}

function fits(value: unknown, written: string): unknown {
  if (typeof value !== 'string') return value ?? undefined
  if (value.includes('\0')) throw new ExpressionError(`${written} holds the character NUL`)
  if (/\p{Surrogate}/u.test(value)) throw new ExpressionError(`${written} holds half of a surrogate pair`)
  return value
}

function issueText(resolved: unknown): (issue: z.core.$ZodIssue) => string {
  return (given) => {
    const issue = innermost(given)
    let found = resolved
    for (const part of issue.path) found = (found as Record<PropertyKey, unknown> | undefined)?.[part]
    // Variables are often secrets.
    if (issue.path[0] === 'environment') found = undefined
    const shown =
      typeof found === 'string' || typeof found === 'number' ? `, found ${JSON.stringify(found).slice(0, 80)}` : ''
    return `${issue.path.join('.')}: ${issue.message}${shown}`
  }
}

/** The rendered texts of a resource: `text` is what its file holds, `stdin` what its command reads. Throws TemplateError. */
export function resolveTexts(
  recipe: Recipe,
  resource: ResourceDefinition,
  view: unknown,
  secrets: string[],
): Record<string, RenderedText> {
  const texts: Record<string, RenderedText> = {}
  for (const [name, template] of Object.entries(resource.templates)) {
    const text = template.render(view)
    const place = `${template.file}: the rendered text`
    if (text.includes('\0'))
      throw new KitbagError('invalid-recipe', `${place} holds the character NUL, which no text file can hold`)
    if (/\p{Surrogate}/u.test(text)) throw new KitbagError('invalid-recipe', `${place} holds half of a surrogate pair`)
    const shown = secrets.some((secret) => secret.length >= shortestSecret && text.includes(secret))
    texts[name] = { bytes: Buffer.from(text), sensitive: shown || mayHoldSecrets(recipe, template.paths) }
  }
  const source = resource.fields.source
  if (typeof source === 'string') texts.text = { bytes: recipe.files[source] ?? Buffer.alloc(0), sensitive: false }
  return texts
}

/** The text on the machine may hold a secret of an earlier release, which nobody here knows: so what the template reads decides too. */
function mayHoldSecrets(recipe: Recipe, paths: { path: string[] }[]): boolean {
  const { outputs } = recipe.definition
  const parameters = declaredParameters(recipe.signature.parameters)
  const secret = ([root, name]: string[], depth = 0): boolean => {
    if (root === 'env') return true
    if (root === 'tls') return name !== 'certificate'
    if (root === 'parameters') return name === undefined || parameters[name]?.['x-kitbag-secret'] === true
    if (root !== 'outputs') return false
    const template = name === undefined ? Object.values(outputs).flat() : (outputs[name] ?? [])
    return depth < 50 && templatePaths(template).some((path) => secret(path, depth + 1))
  }
  return paths.some(({ path }) => secret(path))
}
