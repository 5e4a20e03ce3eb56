import { nearest } from '../lib/nearest.ts'
import type { Phase } from '../model/recipe.ts'
import { type Expression, ExpressionError, parseExpression, parseTemplate } from './expression.ts'
import { type Report, reportIssue } from './issue.ts'
import type { ResourceDefinition } from './recipe.ts'
import { resourceTypeOf, resourceTypes } from './resources/registry.ts'
import type { ResourceType } from './resources/type.ts'
import { phaseSchema } from './schema.ts'
import { type FileTemplate, readTemplate } from './template.ts'
import type { YamlSource } from './yaml.ts'

/** Reads one entry of `resources:`; what is wrong goes to `report`, and nothing comes back. */
export function readResource(
  entry: unknown,
  index: number,
  files: Record<string, Buffer>,
  yaml: YamlSource,
  report: Report,
): ResourceDefinition | undefined {
  const at = ['resources', index]
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return void report(at, 'must be an object that begins with a resource type')
  }
  const { phase, when, forEach, ...fields } = entry as Record<string, unknown>
  const type = typeOf(fields, at, report)
  if (!type) return
  checkFields(type, fields, at, report)
  return {
    type: type.key,
    phase: readPhase(phase, type.phase, at, report),
    ...readExpression('when', when, at, report),
    ...readExpression('forEach', forEach, at, report),
    fields,
    templates: readTemplates(fields, files, at, yaml, report),
    index,
    line: yaml.place(at).line ?? 1,
  }
}

function typeOf(fields: Record<string, unknown>, at: PropertyKey[], report: Report): ResourceType | undefined {
  const known = Object.keys(resourceTypes)
  const key = known.find((name) => Object.hasOwn(fields, name))
  if (key) return resourceTypeOf(key)
  const [first = ''] = Object.keys(fields)
  const near = nearest(first, known)
  report([...at, first], `"${first}" is no resource type${near ? `; did you mean "${near}"?` : ''}`, {
    key: true,
    found: first,
    allowed: known,
    ...(near && { nearest: near }),
  })
  return undefined
}

function readPhase(value: unknown, usual: Phase, at: PropertyKey[], report: Report): Phase {
  const result = phaseSchema.safeParse(value ?? usual)
  if (result.success) return result.data
  report([...at, 'phase'], 'must be install, migrate or configure', { allowed: [...phaseSchema.options] })
  return usual
}

const examples = { when: 'parameters.tls or port == 80', forEach: '${parameters.sites}' }

function readExpression(
  field: 'when' | 'forEach',
  value: unknown,
  at: PropertyKey[],
  report: Report,
): { [field in 'when' | 'forEach']?: Expression } {
  if (value === undefined) return {}
  if (field === 'when' && typeof value === 'boolean') return { when: { type: 'literal', value } }
  if (typeof value !== 'string') {
    report([...at, field], `must be an expression, such as ${examples[field]}`)
    return {}
  }
  try {
    return { [field]: parseExpression(/^\s*\$\{(.*)\}\s*$/s.exec(value)?.[1] ?? value) }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    report([...at, field], error.message)
    return {}
  }
}

/** The schema describes evaluated fields: what an expression stands for is looked at when its value is there. */
function checkFields(type: ResourceType, fields: Record<string, unknown>, at: PropertyKey[], report: Report): void {
  const known = [...Object.keys(type.schema.shape), 'phase', 'when', 'forEach']
  const result = type.schema.safeParse(fields)
  for (const issue of result.error?.issues ?? []) {
    if (!isLater(fields, issue.path, type)) reportIssue(issue, at, known, report)
  }
  for (const { path, message } of type.check?.(fields) ?? []) report([...at, ...path], message)
  checkExpressions(type, fields, at, report)
}

function isLater(fields: unknown, path: PropertyKey[], type: ResourceType): boolean {
  if (type.verbatim.includes(String(path[0]))) return false
  let value = fields
  for (const part of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part]
  return JSON.stringify(value ?? null).includes('${')
}

function checkExpressions(
  type: ResourceType,
  fields: Record<string, unknown>,
  at: PropertyKey[],
  report: Report,
): void {
  for (const [path, text] of textsIn(fields)) {
    if (type.verbatim.includes(String(path[0]))) continue
    try {
      parseTemplate(text)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      report([...at, ...path], error.message)
    }
  }
}

/** Every text inside a value, with its path. */
export function textsIn(value: unknown, path: PropertyKey[] = []): [PropertyKey[], string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  const entries: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return entries.flatMap(([key, member]) => textsIn(member, [...path, key]))
}

function readTemplates(
  fields: Record<string, unknown>,
  files: Record<string, Buffer>,
  at: PropertyKey[],
  yaml: YamlSource,
  report: Report,
): Record<string, FileTemplate> {
  const templates: Record<string, FileTemplate> = {}
  const add = (name: string, field: string, template: FileTemplate) => {
    templates[name] = template
    for (const { message, line, column, found, allowed } of template.problems) {
      const { inline } = template
      const near = found && allowed ? nearest(found, allowed) : undefined
      report([...at, field], `${message}${near ? `; did you mean "${near}"?` : ''}`, {
        ...(inline ? {} : { file: template.file }),
        line: line + (inline?.line ?? 0),
        column: column + (inline?.column ?? 0),
        ...(found && { found }),
        ...(allowed && { allowed }),
        ...(near && { nearest: near }),
      })
    }
  }
  for (const [name, field] of [
    ['text', 'content'],
    ['stdin', 'stdin'],
  ] as const) {
    const source = fields[field]
    if (typeof source === 'string') {
      const { file = '' } = yaml.place([...at, field])
      add(name, field, readTemplate(source, file, yaml.offset([...at, field])))
    }
  }
  for (const field of ['template', 'source']) {
    const path = fields[field]
    if (typeof path !== 'string') continue
    const bytes = Object.hasOwn(files, path) ? files[path] : undefined
    if (bytes && field === 'template') add('text', field, readTemplate(bytes.toString('utf8'), path))
    if (bytes) continue
    const near = nearest(path, Object.keys(files))
    report(
      [...at, field],
      `there is no file "${path}" in the recipe's folder${near ? `; did you mean "${near}"?` : ''}`,
      {
        found: path,
        ...(near && { nearest: near }),
      },
    )
  }
  return templates
}
