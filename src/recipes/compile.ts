import { randomBytes } from 'node:crypto'
import { redact } from '../lib/secret.ts'
import { KitbagError } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import type { Artifact, CompileOptions, HostProgram } from '../model/program.ts'
import type { Phase, RecipeContext } from '../model/recipe.ts'
import { certificateSteps, certificatesList } from './certificates.ts'
import { declaredParameters, viewOf } from './context.ts'
import { ExpressionError, evaluate, truthy } from './expression.ts'
import { type ExtraPart, mergeParts, tracesFolder, tracesOf } from './extras.ts'
import { misfits } from './parameters.ts'
import { blobFolder, largeTextPath } from './places.ts'
import { notificationName, programText } from './program-text.ts'
import type { Recipe, ResourceDefinition } from './recipe.ts'
import { resolveFields, resolveTexts } from './resolve.ts'
import { resourceTypeOf } from './resources/registry.ts'
import { type Notification, type Step, unitName } from './resources/type.ts'
import { TemplateError } from './template.ts'

/**
 * One phase of a recipe for one machine, as a program. Throws `invalid-recipe` when a value from the blueprint does not fit where the
 * recipe puts it; the message names the recipe's file, line and field.
 */
export function compile(
  recipe: Recipe,
  phase: Phase,
  context: RecipeContext,
  options: CompileOptions,
  extras: ExtraPart[] = [],
): HostProgram {
  const parts = [{ recipe, context }, ...extras].map((part) => {
    checkValues(part.recipe, part.context.parameters)
    const own = stepsOf(part, phase, options)
    return withoutRepeats(part.recipe, own)
  })
  const { component } = context
  const guest = options.guest ? { component, recipe } : undefined
  const merged = mergeParts(parts, extras, { phase, mode: options.mode, ...(guest && { guest }) })
  const isWhole = phase === 'configure' && !options.part
  const certificates = isWhole && options.mode === 'apply' ? certificateSteps(component, merged) : undefined
  const steps = [...merged, ...(certificates ?? [])]
  const suppressed = new Set((options.suppress ?? []).map(withUnitName))
  const notifications = notificationsOf(steps).map((notification) => ({
    ...notification,
    suppressed: suppressed.has(notificationName(notification)),
  }))
  const nonce = randomBytes(16).toString('hex')
  return {
    text: programText({
      nonce,
      mode: options.mode,
      steps,
      notifications,
      ...(isWhole && {
        traces: { folder: tracesFolder(guest?.component), names: tracesOf(extras, guest !== undefined) },
      }),
      ...(certificates?.length === 0 && { outdated: certificatesList(component) }),
      ...(options.manifest && options.mode === 'apply' && { manifest: true }),
    }),
    nonce,
    resources: [
      ...steps.map(({ resource, unchecked }) => ({ resource, ...(unchecked && { unchecked }) })),
      ...notifications.map((notification) => ({ resource: notificationName(notification) })),
    ].map((one, index) => ({ index, ...one })),
    // A check unpacks nothing, so nothing has to be uploaded for it.
    artifacts: options.mode === 'check' ? [] : artifactsOf(steps),
  }
}

/** A program that takes away all that a component put onto a machine that it shared: services are stopped, files removed, data stays. */
export function leavingProgram(component: string): HostProgram {
  const nonce = randomBytes(16).toString('hex')
  const traces = { folder: tracesFolder(component), names: [] }
  const outdated = certificatesList(component)
  const text = programText({ nonce, mode: 'apply', steps: [], notifications: [], traces, outdated })
  return { text, nonce, resources: [], artifacts: [] }
}

function artifactsOf(steps: Step[]): Artifact[] {
  const blobs = new Set(steps.flatMap(({ artifact }) => artifact ?? []))
  const texts = steps.flatMap(({ large }) => large ?? [])
  return [
    ...[...blobs].map((digest) => ({ digest, path: `${blobFolder}/${digest}` })),
    ...texts.map(({ digest, bytes, path }) => ({ digest, path: largeTextPath(digest), bytes, unless: path })),
  ]
}

/** What a blueprint's references came to is known only now. */
function checkValues({ signature }: Recipe, parameters: Record<string, unknown>): void {
  for (const [name, schema] of Object.entries(declaredParameters(signature.parameters))) {
    const [misfit] = misfits(schema, parameters[name] as Json | undefined)
    if (misfit) throw new KitbagError('invalid-recipe', `recipe ${signature.name}: parameters.${name}: ${misfit}`)
  }
}

function stepsOf(
  { recipe, context }: Pick<ExtraPart, 'recipe' | 'context'>,
  phase: Phase,
  { mode, secrets }: CompileOptions,
): Step[] {
  const view = viewOf(recipe, context)
  return recipe.definition.resources
    .filter((resource) => resource.phase === phase)
    .flatMap((resource) => {
      try {
        return viewsOf(resource, view).flatMap((own) => {
          if (resource.when && !truthy(evaluate(resource.when, own))) return []
          const fields = resolveFields(resource, own)
          const texts = resolveTexts(recipe, resource, own, secrets)
          return resourceTypeOf(resource.type)?.compile({ fields, texts, phase, mode }) ?? []
        })
      } catch (error) {
        throw unfit(recipe, resource, error, secrets)
      }
    })
}

/** What the entry sees: once, or once for each item of its list. */
function viewsOf({ forEach }: ResourceDefinition, view: Record<string, unknown>): Record<string, unknown>[] {
  if (!forEach) return [view]
  const items = evaluate(forEach, view)
  if (!Array.isArray(items)) throw new ExpressionError('forEach: needs a list')
  return items.map((item) => ({ ...view, item }))
}

function unfit(recipe: Recipe, resource: ResourceDefinition, error: unknown, secrets: string[]): unknown {
  const known = error instanceof TemplateError || error instanceof ExpressionError || error instanceof KitbagError
  if (!known) return error
  const place = error instanceof TemplateError ? '' : `recipe.yaml:${resource.line}: ${resource.type}: `
  const message = `recipe ${recipe.signature.name}: ${place}${error.message}`
  return new KitbagError('invalid-recipe', redact(message, secrets))
}

/** The same package may be asked for twice; anything else said twice would be two wishes for one thing. */
function withoutRepeats(recipe: Recipe, steps: Step[]): Step[] {
  const seen = new Set<string>()
  return steps.filter(({ resource, batch }) => {
    if (!seen.has(resource)) return seen.add(resource)
    if (batch) return false
    throw new KitbagError('invalid-recipe', `recipe ${recipe.signature.name}: ${resource} is there twice in one phase`)
  })
}

/** Each once, restarts first: a restart makes a reload of the same unit needless. */
function notificationsOf(steps: Step[]): Notification[] {
  const all = new Map(steps.flatMap(({ notify }) => notify ?? []).map((one) => [notificationName(one), one]))
  const list = [...all.values()]
  return [...list.filter(({ verb }) => verb === 'restart'), ...list.filter(({ verb }) => verb === 'reload')]
}

/** `reload:haproxy` and `reload:haproxy.service` are the same. */
function withUnitName(name: string): string {
  const [verb = '', unit = ''] = name.split(':', 2)
  return `${verb}:${unitName(unit)}`
}
