/** Expressions of recipes: paths into the context, literals, `! == != && ||`, and a few functions. Pure; no loops, no calls of code. */
export type Expression =
  | { type: 'literal'; value: string | number | boolean | null }
  | { type: 'path'; path: string[]; text: string }
  | { type: 'call'; name: string; argument: Expression }
  | { type: 'not'; operand: Expression }
  | { type: 'binary'; operator: '==' | '!=' | '&&' | '||'; left: Expression; right: Expression }

/** Text with expressions in it: `a ${b} c` -> ['a ', b, ' c']. */
export type Template = (string | Expression)[]

/** Thrown for text that is no expression, and for a value that is not there. `offset` counts characters from the text's start. */
export class ExpressionError extends Error {
  readonly offset: number
  readonly known: string[]
  constructor(message: string, offset = 0, known: string[] = []) {
    super(message)
    this.offset = offset
    this.known = known
  }
}

/** Functions of expressions: what they need and give is text. */
export const functions: Record<string, (value: string) => string> = {
  /** Percent-encoded, for a part of a URL. */
  uri: (value) =>
    encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  /** An address as a URL's host: IPv6 in brackets. */
  host: (value) => (value.includes(':') ? `[${value}]` : value),
}

const token =
  /\s*(?:(\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(==|!=|&&|\|\||[!()]))/y

interface Token {
  kind: 'literal' | 'name' | 'operator' | 'end'
  value: string | number
  offset: number
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  token.lastIndex = 0
  while (token.lastIndex < end) {
    const offset = token.lastIndex
    const match = token.exec(text)
    if (!match) throw new ExpressionError(`cannot read ${JSON.stringify(text.slice(offset).trim())}`, offset)
    const [, number, single, double, name, operator] = match
    if (number !== undefined) tokens.push({ kind: 'literal', value: Number(number), offset })
    else if (name !== undefined) tokens.push({ kind: 'name', value: name, offset })
    else if (operator !== undefined) tokens.push({ kind: 'operator', value: operator, offset })
    else tokens.push({ kind: 'literal', value: single ?? double ?? '', offset })
  }
  return [...tokens, { kind: 'end', value: 'the end', offset: text.length }]
}

const constants = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** Parses one expression. Throws ExpressionError with the place. */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text)
  let at = 0
  const peek = (): Token => tokens[at] ?? { kind: 'end', value: 'the end', offset: text.length }
  const take = (operator: string): boolean => {
    const found = peek().kind === 'operator' && peek().value === operator
    if (found) at++
    return found
  }
  const binary = (operators: ('==' | '!=' | '&&' | '||')[], next: () => Expression): Expression => {
    let left = next()
    for (let operator = operators.find(take); operator; operator = operators.find(take)) {
      left = { type: 'binary', operator, left, right: next() }
    }
    return left
  }
  const any = (): Expression => binary(['||'], () => binary(['&&'], () => binary(['==', '!='], unary)))
  const close = (inner: Expression): Expression => {
    if (!take(')')) throw new ExpressionError(`")" expected before ${JSON.stringify(peek().value)}`, peek().offset)
    return inner
  }
  const unary = (): Expression => {
    if (take('!')) return { type: 'not', operand: unary() }
    if (take('(')) return close(any())
    const { kind, value, offset } = peek()
    at++
    if (kind === 'literal') return { type: 'literal', value }
    if (kind !== 'name' || typeof value !== 'string')
      throw new ExpressionError(`a value expected, found ${JSON.stringify(value)}`, offset)
    if (constants.has(value)) return { type: 'literal', value: constants.get(value) ?? null }
    if (!take('(')) return { type: 'path', path: value.split('.'), text: value }
    if (!Object.hasOwn(functions, value)) {
      throw new ExpressionError(`there is no function "${value}"`, offset, Object.keys(functions))
    }
    return close({ type: 'call', name: value, argument: any() })
  }
  const result = any()
  if (peek().kind !== 'end') throw new ExpressionError(`unexpected ${JSON.stringify(peek().value)}`, peek().offset)
  return result
}

/** Splits text at `${...}`; `$${` stands for a literal `${`. Throws ExpressionError with the offset in the whole text. */
export function parseTemplate(text: string): Template {
  const parts: Template = []
  let literal = ''
  let at = 0
  for (let open = text.indexOf('${'); open >= 0; open = text.indexOf('${', at)) {
    if (text[open - 1] === '$' && open - 1 >= at) {
      literal += `${text.slice(at, open - 1)}\${`
      at = open + 2
      continue
    }
    const end = text.indexOf('}', open)
    if (end < 0) throw new ExpressionError('"${" without its "}" (write "$${" for the text itself)', open)
    literal += text.slice(at, open)
    if (literal) parts.push(literal)
    literal = ''
    try {
      parts.push(parseExpression(text.slice(open + 2, end)))
    } catch (error) {
      if (error instanceof ExpressionError)
        throw new ExpressionError(error.message, open + 2 + error.offset, error.known)
      throw error
    }
    at = end + 1
  }
  literal += text.slice(at)
  if (literal || parts.length === 0) parts.push(literal)
  return parts
}

/** Every path that an expression reads. */
export function pathsIn(expression: Expression): string[][] {
  if (expression.type === 'path') return [expression.path]
  if (expression.type === 'call') return pathsIn(expression.argument)
  if (expression.type === 'not') return pathsIn(expression.operand)
  if (expression.type === 'binary') return [...pathsIn(expression.left), ...pathsIn(expression.right)]
  return []
}

/** Every path that a text's expressions read. */
export function templatePaths(template: Template): string[][] {
  return template.flatMap((part) => (typeof part === 'string' ? [] : pathsIn(part)))
}

/** Looks a path up, own properties only. Throws ExpressionError naming what is known there. */
export function lookUp(path: string[], view: unknown): unknown {
  let value = view
  for (const [index, key] of path.entries()) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      const known = typeof value === 'object' && value !== null ? Object.keys(value) : []
      throw new ExpressionError(`"${path.slice(0, index + 1).join('.')}" is not known here`, 0, known)
    }
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** The value of an expression. `&&` and `||` give one of their operands, as in most languages. */
export function evaluate(expression: Expression, view: unknown): unknown {
  switch (expression.type) {
    case 'literal':
      return expression.value
    case 'path':
      return lookUp(expression.path, view)
    case 'not':
      return !truthy(evaluate(expression.operand, view))
    case 'call':
      return functions[expression.name]?.(asText(evaluate(expression.argument, view), describe(expression.argument)))
    case 'binary': {
      const left = evaluate(expression.left, view)
      if (expression.operator === '&&') return truthy(left) ? evaluate(expression.right, view) : left
      if (expression.operator === '||') return truthy(left) ? left : evaluate(expression.right, view)
      return (left === evaluate(expression.right, view)) === (expression.operator === '==')
    }
  }
}

/** Empty lists count as false, so that `when: parameters.packages` reads as it sounds. */
export function truthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** The value of text with expressions: a single expression keeps its type, anything else is text. */
export function evaluateTemplate(template: Template, view: unknown): unknown {
  const [first] = template
  if (template.length === 1 && first !== undefined && typeof first !== 'string') return evaluate(first, view)
  return template
    .map((part) => (typeof part === 'string' ? part : asText(evaluate(part, view), describe(part))))
    .join('')
}

/** An expression as the user would name it. */
export function describe(expression: Expression): string {
  if (expression.type === 'path') return expression.text
  if (expression.type === 'call') return `${expression.name}(${describe(expression.argument)})`
  return 'the expression'
}

function asText(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new ExpressionError(
    `${name} is ${value === null || value === undefined ? 'not given' : 'a list or an object'} and cannot be part of a text`,
  )
}
