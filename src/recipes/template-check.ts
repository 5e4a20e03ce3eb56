import type { TemplateProblem } from './template.ts'

/** A path that a template reads from the top of its context. */
export interface TemplatePath {
  path: string[]
  line: number
  column: number
  /** Written as it is (`{{x}}`), with no helper. */
  bare: boolean
}

interface Rules {
  /** Name of the helper that bare values are given to. */
  plainHelper: string
  output: string[]
  value: string[]
}

/** Block helpers: whether their block has a context of its own. */
const blocks = new Map([
  ['if', false],
  ['unless', false],
  ['each', true],
  ['with', true],
])

/**
 * Walks a template before it is compiled: refuses what would write a value with no known format, and sends every bare value through
 * `plainHelper` (it changes the tree). Gives the paths that are read from the recipe's context.
 */
export function checkTemplate(
  program: hbs.AST.Program,
  rules: Rules,
): { paths: TemplatePath[]; problems: TemplateProblem[] } {
  const paths: TemplatePath[] = []
  const problems: TemplateProblem[] = []
  const place = (node: hbs.AST.Node) => ({ line: node.loc.start.line, column: node.loc.start.column + 1 })
  const refuse = (node: hbs.AST.Node, message: string, more: Partial<TemplateProblem> = {}) =>
    problems.push({ message, ...place(node), ...more })

  /** `scopes`: how many blocks with a context of their own are around; `names`: block parameters in force. */
  function expression(node: hbs.AST.Expression, scopes: number, names: string[], bare = false): void {
    if (node.type === 'SubExpression') {
      const call = node as hbs.AST.SubExpression
      const name = (call.path as hbs.AST.PathExpression).original
      if (![...rules.value, 'lookup'].includes(name)) {
        refuse(call, `"${name}" is no helper that gives a value`, { found: name, allowed: [...rules.value, 'lookup'] })
      }
      args(call, scopes, names)
    }
    if (node.type !== 'PathExpression') return
    const path = node as hbs.AST.PathExpression
    const parts = path.parts.map(String)
    const root = path.data && parts[0] === 'root'
    if (path.data && !root) return
    if (!root && path.depth !== scopes) return
    if (!root && names.includes(parts[0] ?? '')) return
    const own = root ? parts.slice(1) : parts
    if (own.length > 0) paths.push({ path: own, bare, ...place(path) })
  }

  function args(node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }, scopes: number, names: string[]): void {
    for (const param of node.params) expression(param, scopes, names)
    for (const pair of node.hash?.pairs ?? []) expression(pair.value, scopes, names)
  }

  function mustache(node: hbs.AST.MustacheStatement, scopes: number, names: string[]): void {
    if (!node.escaped) {
      refuse(node, '"{{{" writes a value with no known format: use a helper, such as {{line x}}')
      return
    }
    const path = node.path as hbs.AST.PathExpression
    const writes = rules.output.includes(path.original)
    if (writes && node.params.length === 0) refuse(node, `{{${path.original}}} needs a value`)
    if (!writes && node.params.length > 0) {
      refuse(node, `"${path.original}" is no helper that writes a value`, {
        found: path.original,
        allowed: rules.output,
      })
    }
    if (writes || node.params.length > 0) {
      args(node, scopes, names)
      return
    }
    expression(node.path as hbs.AST.Expression, scopes, names, true)
    node.params = [node.path as hbs.AST.Expression]
    node.path = {
      ...path,
      type: 'PathExpression',
      data: false,
      depth: 0,
      parts: [rules.plainHelper],
      original: rules.plainHelper,
    } as hbs.AST.PathExpression
  }

  function block(node: hbs.AST.BlockStatement, scopes: number, names: string[]): void {
    const name = node.path.original
    if (!blocks.has(String(name)))
      refuse(node, `"${name}" is no block helper`, { found: String(name), allowed: [...blocks.keys()] })
    args(node, scopes, names)
    const inner = blocks.get(String(name)) ? 1 : 0
    statements(node.program, scopes + inner, [...names, ...(node.program?.blockParams ?? [])])
    statements(node.inverse, scopes, names)
  }

  function statements(body: hbs.AST.Program | undefined, scopes: number, names: string[]): void {
    for (const node of body?.body ?? []) {
      if (node.type === 'MustacheStatement') mustache(node as hbs.AST.MustacheStatement, scopes, names)
      else if (node.type === 'BlockStatement') block(node as hbs.AST.BlockStatement, scopes, names)
      else if (node.type !== 'ContentStatement' && node.type !== 'CommentStatement') {
        refuse(node, 'partials and decorators are not supported in recipes')
      }
    }
  }
  statements(program, 0, [])
  return { paths, problems }
}
