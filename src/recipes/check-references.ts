import { nearest } from '../lib/nearest.ts'
import { contextShape, declaredParameters, laterRoots, numberPaths } from './context.ts'
import { parseTemplate, pathsIn, type Template, templatePaths } from './expression.ts'
import type { Report } from './issue.ts'
import { textsIn } from './read-resource.ts'
import type { Recipe, ResourceDefinition } from './recipe.ts'
import { resourceTypeOf } from './resources/registry.ts'
import { outputHelpers } from './template-helpers.ts'

type Refuse = (
  message: string,
  more?: { line?: number; column?: number; file?: string; found?: string; allowed?: string[]; nearest?: string },
) => void

/** Every name that expressions and templates use must be one that the context has, and one that is there in its phase. */
export function checkReferences(recipe: Recipe, report: Report): void {
  for (const resource of recipe.definition.resources) checkResource(recipe, resource, report)
  for (const [name, template] of Object.entries(recipe.definition.outputs)) {
    for (const path of templatePaths(template)) {
      checkPath(recipe, path, (message, more) => report(['outputs', name], message, more))
    }
  }
  checkCycles(recipe, report)
}

function checkResource(recipe: Recipe, resource: ResourceDefinition, report: Report): void {
  const at = ['resources', resource.index]
  const check = (path: string[], refuse: Refuse) => {
    checkPath(recipe, path, refuse)
    if (path[0] === 'item' && !resource.forEach) refuse('"item" is known beside `forEach` only')
    if (resource.phase === 'install' && laterRoots.includes(path[0] ?? '')) {
      refuse(
        `"${path[0]}" may hold facts of other machines, which an install resource must not wait for; say phase: configure`,
      )
    }
  }
  if (resource.when) {
    for (const path of pathsIn(resource.when)) check(path, (message, more) => report([...at, 'when'], message, more))
  }
  if (resource.forEach) {
    const refuse: Refuse = (message, more) => report([...at, 'forEach'], message, more)
    for (const path of pathsIn(resource.forEach)) check(path, refuse)
  }
  const verbatim = resourceTypeOf(resource.type)?.verbatim ?? []
  for (const [place, text] of textsIn(resource.fields)) {
    if (verbatim.includes(String(place[0]))) continue
    for (const path of templatePaths(parse(text)))
      check(path, (message, more) => report([...at, ...place], message, more))
  }
  for (const [name, template] of Object.entries(resource.templates)) {
    const field = name === 'text' ? (resource.fields.content === undefined ? 'template' : 'content') : name
    const { inline } = template
    for (const { path, line, column, bare } of template.paths) {
      const offset = inline ?? { line: 0, column: 0 }
      const where = { line: line + offset.line, column: column + offset.column, file: template.file }
      const refuse: Refuse = (message, more) => report([...at, field], message, { ...where, ...more })
      check(path, refuse)
      if (bare && isText(recipe, path)) {
        const helpers = Object.keys(outputHelpers)
        refuse(
          `{{${path.join('.')}}} is a text: write it through a helper that names the format, such as {{line ${path.join('.')}}}`,
          { allowed: helpers },
        )
      }
    }
  }
}

function parse(text: string): Template {
  try {
    return parseTemplate(text)
  } catch {
    return [] // Reported where the resource was read.
  }
}

function checkPath(recipe: Recipe, path: string[], refuse: Refuse): void {
  const [root = '', name, ...rest] = path
  if (!Object.hasOwn(contextShape, root)) unknown(root, Object.keys(contextShape), '', refuse)
  else if (root === 'tls' && !recipe.signature.tls) refuse('"tls" is known in a recipe that says `tls: true`')
  else if (name !== undefined) {
    const known = namesBelow(recipe, root)
    if (known) unknown(name, known, `${root}.`, refuse)
    if (rest.length > 0 && known) refuse(`${root}.${name} has nothing below it`)
  }
}

function namesBelow(recipe: Recipe, root: string): string[] | undefined {
  if (root === 'parameters') return Object.keys(declaredParameters(recipe.signature.parameters))
  if (root === 'outputs') return Object.keys(recipe.definition.outputs)
  const shape = contextShape[root as keyof typeof contextShape]
  return Array.isArray(shape) ? [...shape] : undefined
}

function unknown(name: string, known: string[], prefix: string, refuse: Refuse): void {
  if (known.includes(name)) return
  const near = nearest(name, known)
  const hint = near ? `; did you mean "${prefix}${near}"?` : ''
  refuse(`"${prefix}${name}" is not known here${hint}`, {
    found: `${prefix}${name}`,
    allowed: known,
    ...(near && { nearest: near }),
  })
}

function isText(recipe: Recipe, path: string[]): boolean {
  const [root = '', name = ''] = path
  if (numberPaths.includes(path.join('.'))) return false
  if (root !== 'parameters') return true
  const type = declaredParameters(recipe.signature.parameters)[name]?.type
  return type !== undefined && path.length === 2 && !['integer', 'number', 'boolean'].includes(String(type))
}

function checkCycles(recipe: Recipe, report: Report): void {
  const { outputs } = recipe.definition
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    templatePaths(outputs[from] ?? []).some(([root, name = '']) => {
      if (root !== 'outputs' || seen.has(name)) return false
      return name === to || reaches(name, to, seen.add(name))
    })
  for (const name of Object.keys(outputs)) {
    if (reaches(name, name, new Set())) report(['outputs', name], `outputs.${name} refers to itself`)
  }
}
