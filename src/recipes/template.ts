import Handlebars from 'handlebars'
import { checkTemplate, type TemplatePath } from './template-check.ts'
import { outputHelpers, plainValue, UnfitValue, valueHelpers } from './template-helpers.ts'

/** A Handlebars file of a recipe, parsed and checked. */
export interface FileTemplate {
  file: string
  /** For a text inside recipe.yaml: what its lines and columns have to be moved by to be those of the file. */
  inline?: { line: number; column: number }
  /** Paths that it reads from the recipe's context, from its top. */
  paths: TemplatePath[]
  problems: TemplateProblem[]
  render(view: unknown): string
}

export interface TemplateProblem {
  message: string
  line: number
  column: number
  found?: string
  allowed?: string[]
}

/** Rendering went wrong: the message begins with `file:line:column`. */
export class TemplateError extends Error {}

const engine = Handlebars.create()
const plainHelper = 'kitbagPlain'
const helpers = { ...outputHelpers, ...valueHelpers, [plainHelper]: plainValue }
for (const [name, helper] of Object.entries(helpers)) {
  engine.registerHelper(name, (...args: unknown[]) => call(name, helper, args))
}

function call(name: string, helper: (...values: unknown[]) => unknown, args: unknown[]): unknown {
  const options = args.at(-1) as { loc?: { start: { line: number; column: number } } }
  try {
    return helper(...args.slice(0, -1))
  } catch (error) {
    if (error instanceof UnfitValue)
      throw Object.assign(error, { place: (error as Placed).place ?? options.loc?.start, helper: name })
    throw error
  }
}

interface Placed {
  place?: { line: number; column: number }
  helper?: string
  lineNumber?: number
  column?: number
}

/** Parses and checks a template; `problems` is empty when it is right. Compiles at the first rendering. */
export function readTemplate(source: string, file: string, inline?: FileTemplate['inline']): FileTemplate {
  let compiled: Handlebars.TemplateDelegate | undefined
  let paths: TemplatePath[] = []
  let problems: TemplateProblem[] = []
  let program: hbs.AST.Program | undefined
  try {
    program = engine.parse(source)
    ;({ paths, problems } = checkTemplate(program, {
      plainHelper,
      output: Object.keys(outputHelpers),
      value: Object.keys(valueHelpers),
    }))
  } catch (error) {
    const { lineNumber, column } = error as Placed
    const message = (error as Error).message.split('\n').filter(Boolean)
    const [first = 'cannot be read', ...rest] = message
    problems = [
      {
        message: [first.replace(/ on line \d+:?$/, ''), rest.at(-1)].filter(Boolean).join(': '),
        line: lineNumber ?? lineIn(first),
        column: (column ?? 0) + 1,
      },
    ]
  }
  const lines = source.split('\n')
  const render = (view: unknown): string => {
    compiled ??= engine.compile(program, {
      strict: true,
      noEscape: true,
      knownHelpersOnly: true,
      knownHelpers: Object.fromEntries(Object.keys(helpers).map((name) => [name, true])),
    })
    try {
      return compiled(view, { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false })
    } catch (error) {
      throw placed(error, file, inline ?? { line: 0, column: 0 }, lines)
    }
  }
  return { file, ...(inline && { inline }), paths, problems, render }
}

function lineIn(message: string): number {
  return Number(/line (\d+)/.exec(message)?.[1] ?? 1)
}

function placed(
  error: unknown,
  file: string,
  offset: { line: number; column: number },
  lines: string[],
): TemplateError {
  const { place, lineNumber, column, message } = error as Placed & Error
  const line = place?.line ?? lineNumber ?? 1
  const at = place?.column ?? column ?? 0
  const mustache = /^\{\{[^}]*\}\}/.exec(lines[line - 1]?.slice(at) ?? '')?.[0]
  const what = message.replace(/ - \d+:\d+$/, '').replace(/ not defined in \[object Object\]/, ' is not given')
  return new TemplateError(
    `${file}:${line + offset.line}:${at + 1 + offset.column}: ${mustache ? `${mustache}: ` : ''}${what}`,
    {
      cause: error,
    },
  )
}
